"""One mask under review: its pictures, what is known of it, and the verdict."""

import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from core import reviewing
from core.errors import FORESEEN
from core.markup import lines_of_drawing
from core.mask_rows import decoded
from core.review_views import CLOSE_SIDE, Views, reaches, views, window
from core.reviewing import CODES, RUBRIC, Outcome, Task, Verdict
from core.workshop import Workshop
from pages.ui.resources import jpeg_bytes
from pages.ui.text import plain

_STYLE: Final = """
<style>
  .st-key-review-close img { max-height: calc(100vh - 330px); object-fit: contain; width: 100%; }
  .st-key-review-small img { max-height: 110px; object-fit: contain; }
  .st-key-review-rating button { padding: 0; min-width: 2.1rem; }
  .st-key-review-rating kbd { display: none; }
</style>
"""
_MARKUP_SIDE: Final = 560
_BUTTONS: Final[tuple[tuple[Outcome, str, str, str], ...]] = (
    ("approve", "Approve", ":material/check:", "A"),
    ("fix", "Fix", ":material/ink_highlighter:", "F"),
    ("send_back", "Send back", ":material/reply:", "S"),
    ("reject", "Reject", ":material/close:", "X"),
)
_KEYS: Final = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0")


@dataclass
class _Open:
    """The review that is open in this session: of which mask, since when, and what was chosen and drawn so far.

    What is pressed is done in callbacks, before the page runs: a page that runs again by itself would swallow the key
    that is pressed meanwhile.
    """

    mask_id: int
    image_id: int
    audit_id: int | None
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    begun: float = field(default_factory=time.monotonic)
    rating: int | None = None
    hidden: bool = False
    lines: list[list[list[float]]] = field(default_factory=list)

    def rate(self, rating: int) -> None:
        self.rating = None if self.rating == rating else rating

    def hide(self) -> None:
        self.hidden = not self.hidden

    def verdict(self, outcome: Outcome) -> Verdict:
        """Return what is said with this outcome, of what stands on the page."""
        return Verdict(
            self.mask_id,
            outcome,
            self.rating,
            tuple(st.session_state.get(f"codes-{self.key}") or ()),
            st.session_state.get(f"comment-{self.key}") or "",
            tuple(self.lines),
            self.audit_id,
            round((time.monotonic() - self.begun) * 1e3),
        )


def review(shop: Workshop, mask_id: int, *, audit_id: int | None = None) -> None:
    """Show a mask to be reviewed, and keep the verdict that is given."""
    try:
        task = reviewing.task(shop, mask_id, blind=audit_id is not None)
        pixels = shop.working_pixels(task.image.working_sha256)
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    opened: _Open | None = st.session_state.get("review")
    if opened is None or (opened.mask_id, opened.audit_id) != (mask_id, audit_id):
        opened = _Open(mask_id, task.image.id, audit_id)
        st.session_state["review"] = opened
    st.html(_STYLE)
    left, right = st.columns([3, 2])
    with right:
        _facts(task, blind=audit_id is not None)
        _verdicts(shop, opened)
        _rating(opened)
        drawing = st.toggle("Mark up", key=f"markup-{opened.key}", help="Draw on the picture; the author sees it.")
        st.pills(
            "Errors",
            list(CODES),
            selection_mode="multi",
            format_func=lambda code: CODES[code],
            key=f"codes-{opened.key}",
            wrap=True,
        )
        st.text_input("Comment", key=f"comment-{opened.key}", max_chars=reviewing.LONGEST_COMMENT)
    mask = decoded(task.mask)
    shown = views(
        pixels,
        mask,
        [decoded(one) for one in task.neighbours if reaches(one.bbox, window(mask))],
        [(one.x, one.y, one.label or 0) for one in task.mask.prompts if one.kind == "point"],
        strokes=task.strokes,
    )
    with left:
        opened.lines = _draw(shown, mask, opened) if drawing else []
        if not drawing:
            _pictures(shown, opened)


def show_undo(place: Any, shop: Workshop) -> None:
    """Offer to take the last verdict of this session back, and say what went wrong with it."""
    if trouble := st.session_state.pop("review_trouble", None):
        st.error(plain(trouble), icon=":material/error:")
    if st.session_state.get("last_review") is not None:
        place.button("Undo the last verdict", icon=":material/undo:", shortcut="Z", on_click=_take_back, args=(shop,))


def go_and_fix() -> None:
    """Leave for the workbench if the last verdict was to fix the mask."""
    if asked := st.session_state.pop("to_fix", None):
        st.switch_page("annotate.py", query_params=asked)


def _take_back(shop: Workshop) -> None:
    try:
        reviewing.take_back(shop, st.session_state.pop("last_review"))
    except FORESEEN as error:
        st.session_state["review_trouble"] = str(error)


def _give(shop: Workshop, opened: _Open, outcome: Outcome) -> None:
    try:
        st.session_state["last_review"] = reviewing.give(shop, opened.key, opened.verdict(outcome))
    except FORESEEN as error:
        st.session_state["review_trouble"] = str(error)
        return
    st.session_state["review"] = None
    if outcome == "fix":
        st.session_state["to_fix"] = {"image": str(opened.image_id), "mask": str(opened.mask_id)}


def _facts(task: Task, *, blind: bool) -> None:
    mask = task.mask
    by = "" if blind else f" by **{plain(task.author)}**"
    seconds = mask.times.active_ms / 1e3
    prompts = "1 prompt" if len(mask.prompts) == 1 else f"{len(mask.prompts)} prompts"
    doing = {"by_hand": "by hand", "imported": "imported"}.get(mask.origin, prompts)
    st.markdown(f"**{plain(task.image.name)}**, mask {mask.id}{by}, {seconds:.0f} s, {doing}")
    share = mask.area / (mask.width * mask.height)
    score = "" if mask.predicted_iou is None else f" · predicted IoU {mask.predicted_iou:.2f}"
    edited = " · edited" if mask.edited else ""
    label = f" · {plain(mask.label)}" if mask.label else ""
    st.caption(f"{mask.area:,} pixels, {share:.1%} of the image{score}{edited}{label}")
    for flag in mask.flags:
        answer = f" ({flag.resolution})" if flag.resolution else ""
        st.warning(plain(flag.message) + answer, icon=":material/flag:")
    for one in task.reviews:
        said = f": {plain(one.comment)}" if one.comment else ""
        st.caption(f"Earlier verdict: {one.verdict.replace('_', ' ')}{said}")


def _verdicts(shop: Workshop, opened: _Open) -> None:
    row = st.container(horizontal=True, gap="xsmall", key="review-verdicts")
    for outcome, title, icon, key in _BUTTONS:
        row.button(
            title,
            icon=icon,
            shortcut=key,
            type="primary" if outcome == "approve" else "secondary",
            on_click=_give,
            args=(shop, opened, outcome),
        )


def _rating(opened: _Open) -> None:
    st.caption("Rating", help="  \n".join(f"{rating}: {said}" for rating, said in RUBRIC.items()))
    row = st.container(horizontal=True, gap="xsmall", key="review-rating")
    for number, key in enumerate(_KEYS, start=1):
        row.button(
            str(number),
            key=f"rate-{number}",
            shortcut=key,
            type="primary" if opened.rating == number else "secondary",
            on_click=opened.rate,
            args=(number,),
        )


def _pictures(shown: Views, opened: _Open) -> None:
    with st.container(key="review-close"):
        st.image(jpeg_bytes(shown.close if opened.hidden else shown.close_over), width="stretch")
    row = st.container(horizontal=True, vertical_alignment="center", key="review-small")
    for picture in (shown.over, shown.image, shown.alone):
        row.image(jpeg_bytes(picture), width=150)
    said = "Show mask" if opened.hidden else "Hide mask"
    row.button(said, key="hide-mask", icon=":material/visibility:", shortcut="V", on_click=opened.hide)


def _draw(shown: Views, mask: Any, opened: _Open) -> list[list[list[float]]]:
    """Let the reviewer draw on the close view; return the lines on the photo."""
    height, width = shown.close_over.shape[:2]
    shrink = _MARKUP_SIDE / max(height, width)
    drawn = st_canvas(
        stroke_width=3,
        stroke_color="#00e5ff",
        background_image=jpeg_bytes(shown.close_over),
        width=round(width * shrink),
        height=round(height * shrink),
        drawing_mode="freedraw",
        key=f"draw-{opened.key}",
    )
    x0, y0, x1, y1 = window(mask)
    scale = CLOSE_SIDE / max(x1 - x0, y1 - y0) * shrink
    lines = lines_of_drawing(drawn.json_data, scale=scale, origin=(x0, y0))
    st.caption("1 line" if len(lines) == 1 else f"{len(lines)} lines")
    return lines
