"""Outlining an object by hand: for what the model cannot do, and as the unassisted baseline."""

import re
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, Final

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from core import annotating, library, queueing
from core.errors import FORESEEN, Held
from core.masks import encode
from core.outline import mask_of_paths, paths_of_drawing
from core.workshop import Workshop
from pages.canvas import AskedByHand, Assigned, stopwatch
from pages.canvas.assets import version
from pages.ui.resources import as_jpeg, marked, outlines
from pages.ui.text import plain, sentence

STROKE_PX = 2
_SIDE_WIDTH: Final = 260
# Margins of the page, and the panel beside the photo.
_TAKEN_W, _TAKEN_H = _SIDE_WIDTH + 88, 56
_LEAST, _MOST = 240, 2400
_KEPT: Final = 500
_STROKE = "#ffb000"
_FILL = "rgba(255, 176, 0, 0.25)"


@dataclass
class ByHand:
    """One object being outlined: by whom, on which image, in how much room, under which key, and what was drawn; and
    whether chance has assigned it.

    Closed paths are kept by image for as long as the server runs, so that a reload or another page loses none.
    """

    person_id: int
    image_id: int
    room: tuple[int, int]
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    drawing: dict[str, Any] | None = None
    assigned: Assigned | None = None

    @classmethod
    def start(cls, person_id: int, asked: AskedByHand) -> "ByHand":
        """Return the state of the outline that the workbench asks for, gone on with or new.

        An object that chance has assigned keeps its key, so that it is the same one when it is saved.
        """
        room, kept = (asked.width, asked.height), outlines(person_id).get(asked.image_id)
        if isinstance(kept, ByHand) and kept.room == room and kept.assigned == asked.assigned:
            return replace(kept)
        made = cls(person_id, asked.image_id, room, assigned=asked.assigned)
        return replace(made, key=asked.assigned.key) if asked.assigned else made

    @classmethod
    def of_url(cls, person_id: int) -> "ByHand | None":
        """Return the outline that the page's address speaks of, as after a reload."""
        sent = [st.query_params.get(name, "") for name in ("image", "by_hand")]
        found = re.fullmatch(r"(\d{1,9}) (\d{1,5})x(\d{1,5})", " ".join(sent))
        if not found:
            return None
        image_id, room = int(found[1]), (int(found[2]), int(found[3]))
        kept = outlines(person_id).get(image_id)
        return replace(kept) if isinstance(kept, ByHand) and kept.room == room else cls(person_id, image_id, room)

    def put_in_url(self) -> None:
        """Let a reload come back to this outline, and to nothing that the workbench was to take up."""
        for name in ("mask", "skip"):
            st.query_params.pop(name, None)
        st.query_params.update({"image": str(self.image_id), "by_hand": f"{self.room[0]}x{self.room[1]}"})

    def keep(self, drawing: dict[str, Any] | None) -> None:
        """Keep what is drawn; nothing drawn keeps nothing but what chance has assigned."""
        kept = outlines(self.person_id)
        kept.pop(self.image_id, None)
        if self.assigned or (drawing and drawing.get("objects")):
            kept[self.image_id] = replace(self, drawing=drawing)
            while len(kept) > _KEPT:
                kept.pop(next(iter(kept)))

    def scale(self, width: int, height: int) -> float:
        """Return how large the photo can be shown."""
        wide, high = self.room[0] - _TAKEN_W, self.room[1] - _TAKEN_H
        return min(min(max(wide, _LEAST), _MOST) / width, min(max(high, _LEAST), _MOST) / height)


def outline_by_hand(shop: Workshop, state: ByHand) -> None:
    """Show the photo to be outlined; save or leave ends the mode."""
    try:
        image = library.image(shop, state.image_id)
        data = shop.files.get("working", image.working_sha256)
    except FORESEEN as error:
        st.error(str(error), icon=":material/error:")
        st.button("Back to the workbench", on_click=_leave, shortcut="Escape")
        return
    try:
        queueing.hold(shop, state.image_id, client="by hand")
    except Held as error:
        st.warning(plain(sentence(error)), icon=":material/group:")
    scale = state.scale(image.width, image.height)
    row = st.container(horizontal=True, wrap=False)
    with row.container(width=round(image.width * scale)):
        drawn = st_canvas(
            fill_color=_FILL,
            stroke_width=STROKE_PX,
            stroke_color=_STROKE,
            background_image=as_jpeg(data)
            if state.assigned is None
            else marked(data, state.assigned.x, state.assigned.y),
            width=round(image.width * scale),
            height=round(image.height * scale),
            drawing_mode="polygon",
            initial_drawing=state.drawing,
            key=f"outline-{state.key}",
        )
        times = stopwatch(outline=state.key, version=version())
    if drawn.json_data is not None:  # else the canvas has not spoken yet
        state.keep(drawn.json_data)
    paths = paths_of_drawing(drawn.json_data)
    side = row.container(width=_SIDE_WIDTH)
    side.markdown(f"**By hand**  \n{plain(image.name)}")
    which = "the object" if state.assigned is None else "the object that is marked, which chance has chosen"
    side.caption(f"Click the corners of {which}, then the first corner again. Several paths make one mask.")
    count = "No closed path yet" if not paths else "1 path" if len(paths) == 1 else f"{len(paths)} paths"
    side.text(count)
    if side.button("Save mask", type="primary", shortcut="Enter", disabled=not paths, width="stretch"):
        _save(shop, state, paths, scale, (image.height, image.width), times or {})
    back = "Closed paths are kept until the server stops"
    side.button("Back", on_click=_leave, shortcut="Escape", width="stretch", help=back)


def _save(
    shop: Workshop,
    state: ByHand,
    paths: list[Any],
    scale: float,
    shape_hw: tuple[int, int],
    times: dict[str, int],
) -> None:
    before = state.assigned.times if state.assigned else {}
    times = {name: spent + before.get(name, 0) for name, spent in times.items()}
    corners = sum(len(path) for path in paths)
    outline = {"kind": "outline", "detail": {"paths": len(paths), "corners": corners}, "at_ms": sum(times.values())}
    try:
        mask = mask_of_paths(paths, shape_hw=shape_hw, scale=scale)
        accepted = annotating.Accepted(
            rle=encode(mask),
            object_key=state.key,
            origin="by_hand",
            by_chance=state.assigned is not None,
            edits=[outline],
            times=times,
        )
        annotating.accept(shop, state.image_id, state.key, accepted)
    except FORESEEN as error:
        st.error(str(error), icon=":material/error:")
        return
    outlines(state.person_id).pop(state.image_id, None)
    _leave()
    st.rerun()


def _leave() -> None:
    st.session_state["by_hand"] = None
    st.query_params.pop("by_hand", None)
