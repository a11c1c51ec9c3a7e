"""What waits for an annotator: masks that were sent back, and skipped objects."""

from typing import Final

import streamlit as st

from core import mending, reviewing
from core.errors import FORESEEN
from core.mask_rows import decoded
from core.object_state import clicks
from core.review_views import views
from core.reviewing import CODES
from core.workshop import Workshop
from pages.ui.resources import jpeg_bytes
from pages.ui.text import plain

SHOWN: Final = 20
_REASONS: Final = {"timer": "the time was over", "hard": "too hard"}


def show_sent_back(shop: Workshop) -> None:
    """Show the masks that were sent back, each with what the reviewer said and drew, and a way to mend it."""
    found = reviewing.sent_back(shop, limit=SHOWN)
    if not found:
        st.info("No mask was sent back, or all are mended.", icon=":material/done_all:")
    for review, task in found:
        with st.container(border=True):
            left, right = st.columns([2, 3])
            mask = decoded(task.mask)
            try:
                pixels = shop.working_pixels(task.image.working_sha256)
            except FORESEEN as error:
                right.error(plain(str(error)), icon=":material/error:")
                continue
            left.image(jpeg_bytes(views(pixels, mask, lines=review.markup).close_over), width="stretch")
            right.markdown(f"**{plain(task.image.name)}**, mask {task.mask.id} by **{plain(task.author)}**")
            rating = f" · rated {review.rating}" if review.rating is not None else ""
            right.caption(f"Sent back {review.created_at:%Y-%m-%d %H:%M} UTC{rating}")
            for code in review.codes:
                right.badge(CODES.get(code, code), color="orange")
            if review.comment:
                right.markdown(plain(review.comment))
            if right.button("Mend it", key=f"mend-{review.id}", icon=":material/ink_highlighter:"):
                asked = {"image": str(task.image.id), "mask": str(task.mask.id)}
                st.switch_page("annotate.py", query_params=asked)


def show_hard_queue(shop: Workshop) -> None:
    """Show the skipped objects of all images, oldest first; each can be taken up with its prompts."""
    found = reviewing.hard_queue(shop, limit=SHOWN)
    if not found:
        st.info("No skipped object waits.", icon=":material/done_all:")
    grid = st.grid("auto", min_column_width=220, gap="small", key="hard-queue")
    for skip, image in found:
        with grid.cell().container(border=True, gap="xsmall"):
            try:
                st.image(mending.thumbnail(shop, image), width="stretch", alt=image.name)
            except FORESEEN as error:
                st.warning(plain(str(error)), icon=":material/broken_image:")
            st.markdown(f"**{plain(image.name)}**")
            points = clicks(skip.state)
            given = "1 click" if points == 1 else f"{points} clicks"
            why = _REASONS.get(skip.reason, plain(skip.reason))
            st.caption(f"{why} · {given} · {skip.created_at:%Y-%m-%d}")
            if st.button("Take it up", key=f"take-{skip.id}"):
                st.switch_page("annotate.py", query_params={"image": str(image.id), "skip": skip.key})
