"""Outlining an object by hand: for what the model cannot do, and as the unassisted baseline."""

import time
import uuid
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from core import annotating, library
from core.errors import FORESEEN
from core.masks import encode
from core.outline import mask_of_paths, paths_of_drawing
from core.workshop import Workshop
from pages.ui.text import plain

STROKE_PX = 2
_SIDE_WIDTH: Final = 260
# Margins of the page, and the panel beside the photo.
_TAKEN_W, _TAKEN_H = _SIDE_WIDTH + 88, 56
_LEAST, _MOST = 240, 2400
_STROKE = "#ffb000"
_FILL = "rgba(255, 176, 0, 0.25)"


@dataclass
class ByHand:
    """One object being outlined: which image, in how much room, since when, under which key it will be saved."""

    image_id: int
    room: tuple[int, int]
    started: float
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    @classmethod
    def start(cls, image_id: int, room: tuple[int, int]) -> "ByHand":
        """Return the state of an outline that starts now, in a window that has `room` for the page."""
        return cls(image_id=image_id, room=room, started=time.monotonic())

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
    scale = state.scale(image.width, image.height)
    row = st.container(horizontal=True, wrap=False)
    with row.container(width=round(image.width * scale)):
        drawn = st_canvas(
            fill_color=_FILL,
            stroke_width=STROKE_PX,
            stroke_color=_STROKE,
            background_image=_shown(data),
            width=round(image.width * scale),
            height=round(image.height * scale),
            drawing_mode="polygon",
            key=f"outline-{state.key}",
        )
    paths = paths_of_drawing(drawn.json_data)
    side = row.container(width=_SIDE_WIDTH)
    side.markdown(f"**By hand**  \n{plain(image.name)}")
    side.caption("Click the corners of the object, then the first corner again. Several paths make one mask.")
    count = "No closed path yet" if not paths else "1 path" if len(paths) == 1 else f"{len(paths)} paths"
    side.text(count)
    if side.button("Save mask", type="primary", shortcut="Enter", disabled=not paths, width="stretch"):
        _save(shop, state, paths, scale, (image.height, image.width))
    side.button("Back", on_click=_leave, shortcut="Escape", width="stretch", help="Leave without saving")


def _save(shop: Workshop, state: ByHand, paths: list[Any], scale: float, shape_hw: tuple[int, int]) -> None:
    painting_ms = round((time.monotonic() - state.started) * 1000)
    try:
        mask = mask_of_paths(paths, shape_hw=shape_hw, scale=scale)
        corners = sum(len(path) for path in paths)
        accepted = annotating.Accepted(
            rle=encode(mask),
            object_key=state.key,
            origin="by_hand",
            edits=[{"kind": "outline", "detail": {"paths": len(paths), "corners": corners}, "at_ms": painting_ms}],
            times={"painting_ms": painting_ms},
        )
        annotating.accept(shop, state.image_id, state.key, accepted)
    except FORESEEN as error:
        st.error(str(error), icon=":material/error:")
        return
    _leave()
    st.rerun()


def _leave() -> None:
    state: ByHand | None = st.session_state.pop("by_hand", None)
    if state is not None:
        st.query_params["image"] = str(state.image_id)


@st.cache_data(max_entries=8, show_spinner=False)
def _shown(data: bytes) -> bytes:
    """Return the working image as JPEG, which the drawing canvas takes as a data URL."""
    if data[:3] == b"\xff\xd8\xff":
        return data
    buffer = BytesIO()
    Image.open(BytesIO(data)).convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
