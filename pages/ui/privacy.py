"""Privacy: what is blurred on which photo; boxes are checked, removed and drawn, and older photos searched."""

from typing import Any, Final

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from core import jobs, library, protecting
from core.errors import FORESEEN
from core.outline import boxes_of_drawing
from core.privacy.regions import Box
from core.privacy.showing import numbered
from core.projects import change_settings, settings
from core.protecting import Standing
from core.roles import may
from core.workshop import Workshop
from pages.ui.resources import jpeg_bytes
from pages.ui.text import plain
from pages.ui.watching import show_job
from storage.rows import BoxRow, ImageRow, JobRow

POLL: Final = "2s"
_WIDE, _HIGH = 860, 440
"""Room for the photo, in CSS pixels, beside the list and below the bars of a window of 1280 x 720."""
_SIDE: Final = 300
_KIND: Final = "privacy-kind"
_KINDS: Final = {"Face": "face", "Plate": "plate"}
_TROUBLE: Final = "privacy-trouble"


def show_privacy(shop: Workshop) -> None:
    """Show how far the project is, and its photos with their boxes, one at a time."""
    try:
        standing = protecting.standing(shop)
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    _show_standing(shop, standing)
    if trouble := st.session_state.pop(_TROUBLE, None):
        st.error(plain(trouble), icon=":material/error:")
    bar = st.container(horizontal=True, vertical_alignment="center", key="privacy-bar")
    lists = {
        "check": f"To check ({standing.to_check:,})",
        "seen": f"Checked ({standing.checked:,})",
        "all": "All images",
    }
    shown = bar.segmented_control(
        "Images",
        list(lists),
        default="check",
        required=True,
        format_func=lists.__getitem__,
        key="privacy-list",
        label_visibility="collapsed",
    )
    if shown == "all":
        name = bar.text_input(
            "Find by name",
            placeholder="Part of a file name",
            key="privacy-name",
            width=210,
            label_visibility="collapsed",
        )
        found = library.find(shop, search=name.strip() or None, state=None, limit=1, offset=0)
        count = found.total
    else:
        name = ""
        count = standing.to_check if shown == "check" else standing.checked
    if not count:
        st.info(_NOTHING[shown or "check"], icon=":material/shield_person:")
        return
    key = f"privacy-page-{shown}"
    # The list may have become shorter than where one was.
    st.session_state[key] = min(st.session_state.get(key, 1), count)
    with bar.container(width="content"):
        at = (st.pagination(count, key=key) if count > 1 else 1) - 1
    if shown == "all":
        rows = library.find(shop, search=name.strip() or None, state=None, limit=1, offset=at).images
    else:
        rows = protecting.with_boxes(shop, seen=shown == "seen", offset=at, limit=1)
    if rows:
        _show_image(shop, rows[0], to_check=shown == "check")


_NOTHING: Final = {
    "check": "Nothing waits to be checked. Photos on which a face or a plate was found come here.",
    "seen": "No photo with boxes has been checked yet.",
    "all": "No image fits.",
}


def _show_standing(shop: Workshop, standing: Standing) -> None:
    job = jobs.newest(shop, jobs.BLUR)
    if job is not None and job.is_open:
        _watch(shop, job.id)
        return
    row = st.container(horizontal=True, vertical_alignment="center", key="privacy-standing")
    row.toggle(
        "Blur faces and number plates on imported photos",
        settings(shop).blur,
        key="privacy-blur",
        on_change=_set_blur,
        args=(shop,),
        help="Each photo is searched before anybody sees it. Some are missed: check photos of people yourself.",
    )
    row.space("stretch")
    row.markdown(_said(standing, job), width="content")
    row.button(
        "Search them" if standing.to_search != 1 else "Search it",
        icon=":material/person_search:",
        on_click=_begin,
        args=(shop,),
        disabled=not standing.to_search,
    )


def _said(standing: Standing, job: JobRow | None) -> str:
    if job is not None and job.state == "failed":
        return f":red[The search failed: {plain(job.message or '')}]"
    if standing.to_search:
        one = standing.to_search == 1
        return f"{standing.to_search:,} image{'' if one else 's'} not searched yet"
    return "Every image is searched"


@st.fragment(run_every=POLL)
def _watch(shop: Workshop, job_id: int) -> None:
    """Show how far a search is, again and again, until it has ended; let a killed one go on."""
    show_job(shop, jobs.BLUR, job_id, st.container(key="privacy-standing"), "images searched")


def _show_image(shop: Workshop, image: ImageRow, *, to_check: bool) -> None:
    try:
        pixels = shop.working_pixels(image.working_sha256)
        boxes = protecting.boxes_of(shop, image.id)
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    scale = min(_WIDE / image.width, _HIGH / image.height)
    row = st.container(horizontal=True, wrap=False, key="privacy-image")
    with row.container(width=round(image.width * scale)):
        drawn = st_canvas(
            fill_color="rgba(255, 190, 40, 0.2)",
            stroke_width=2,
            stroke_color="#ffbe28",
            background_image=jpeg_bytes(numbered(pixels, [one.box for one in boxes], scale)),
            width=round(image.width * scale),
            height=round(image.height * scale),
            drawing_mode="rect",
            # What was drawn belongs to the photo as it was: once it is blurred, the canvas begins anew.
            key=f"privacy-{image.id}-{image.working_sha256[:12]}",
        )
    with row.container(width=_SIDE, gap="small"):
        st.markdown(f"**{plain(image.name)}**")
        if to_check:
            st.button(
                "Checked",
                icon=":material/check:",
                type="primary",
                shortcut="Enter",
                width="stretch",
                on_click=_act,
                args=(protecting.set_seen, shop, image.id),
            )
        _offer_drawing(shop, image, boxes_of_drawing(drawn.json_data, scale=scale))
        _list(shop, boxes)
        if may(shop, "originals"):
            st.link_button("Original photo", f"/api/images/{image.id}/original", icon=":material/lock_open:")


def _offer_drawing(shop: Workshop, image: ImageRow, drawn: list[Box]) -> None:
    if not drawn:
        st.caption("Drag a box over what was missed.")
        return
    row = st.container(horizontal=True, vertical_alignment="center")
    row.segmented_control(
        "What it is", list(_KINDS), default="Face", required=True, key=_KIND, label_visibility="collapsed"
    )
    said = "Blur it" if len(drawn) == 1 else f"Blur {len(drawn)}"
    row.button(
        said,
        icon=":material/blur_on:",
        type="primary",
        on_click=_draw,
        args=(shop, image.id, drawn),
    )


def _list(shop: Workshop, boxes: list[BoxRow]) -> None:
    if not boxes:
        st.caption("Nothing is blurred here.")
        return
    st.caption("1 box is blurred." if len(boxes) == 1 else f"{len(boxes)} boxes are blurred.")
    with st.container(height=250 if len(boxes) > 6 else "content", border=False, gap="xsmall"):
        for number, one in enumerate(boxes, start=1):
            row = st.container(horizontal=True, vertical_alignment="center", gap="small")
            row.markdown(f"**{number}** {one.kind}, {one.source}", width="stretch")
            row.button(
                "Remove",
                key=f"remove-{one.id}",
                type="tertiary",
                help="Shows the photo as it is there",
                on_click=_act,
                args=(protecting.remove, shop, one.id),
            )


def _draw(shop: Workshop, image_id: int, boxes: list[Box]) -> None:
    # As it is chosen now: who is quick may have chosen after the page was drawn.
    kind = _KINDS[st.session_state.get(_KIND) or "Face"]
    for box in boxes:
        _act(protecting.draw, shop, image_id, kind, box)


def _begin(shop: Workshop) -> None:
    _act(jobs.begin_blur, shop)


def _set_blur(shop: Workshop) -> None:
    _act(change_settings, shop, {"blur": st.session_state["privacy-blur"]})


def _act(action: Any, *args: Any) -> None:
    try:
        action(*args)
    except FORESEEN as error:
        st.session_state[_TROUBLE] = str(error)
