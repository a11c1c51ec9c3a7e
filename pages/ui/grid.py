"""The library as a grid of thumbnails."""

from typing import Final

import streamlit as st

from core import mending
from core.roles import may
from core.workshop import Workshop
from pages.ui.left import left_dialog, said_of
from pages.ui.text import plain
from storage.errors import StorageError
from storage.rows import ImageRow, SurveyRow

PER_PAGE: Final = 24
_PREFIX: Final = "chosen-image-"
_STATES: Final = {"new": "new", "in_work": "in work", "done": "done"}
_PRIORITIES: Final = {1: ":orange[▲ first]", 3: "▼ last"}
# Thumbnails have all shapes; one height keeps the rows straight and the page still while they load.
_STYLE: Final = """
<style>
  .st-key-library img { height: 132px; width: 100%; object-fit: cover; border-radius: 6px; }
  .st-key-library [data-testid="stMarkdownContainer"] p, .st-key-library [data-testid="stCaptionContainer"] p {
    overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  }
</style>
"""


def chosen_images() -> list[int]:
    """Return the ids of the images that are ticked."""
    return sorted(
        int(str(key).removeprefix(_PREFIX))
        for key, ticked in st.session_state.items()
        if str(key).startswith(_PREFIX) and ticked
    )


def forget_choice() -> None:
    """Untick every image."""
    for image_id in chosen_images():
        del st.session_state[f"{_PREFIX}{image_id}"]


def untick(image_ids: list[int]) -> None:
    """Untick images that stay where they are; only before the page is drawn, as in a callback."""
    for image_id in image_ids:
        st.session_state[f"{_PREFIX}{image_id}"] = False


def show_grid(shop: Workshop, images: list[ImageRow], surveys: dict[int, SurveyRow]) -> None:
    """Show images as cards that open the workbench or can be ticked, with what their surveys say is left."""
    st.html(_STYLE)
    grid = st.grid("auto", min_column_width=180, gap="small", key="library")
    for image in images:
        with grid.cell().container(border=True, gap="xsmall"):
            _card(shop, image, surveys.get(image.id))


def _card(shop: Workshop, image: ImageRow, survey: SurveyRow | None) -> None:
    try:
        st.image(mending.thumbnail(shop, image), width="stretch", alt=image.name)
    except StorageError:
        st.warning("The picture is missing or damaged.", icon=":material/broken_image:")
    st.markdown(f"**{plain(image.name)}**")
    masks = "1 mask" if image.masks == 1 else f"{image.masks} masks"
    # What waits for an answer says more than the size; a card's line is too short for both.
    last = f"{image.proposals} to check" if image.proposals else f"{image.width} x {image.height}"
    said = [_PRIORITIES.get(image.priority), _STATES[image.state], masks, last]
    # Of four parts the last, which says least, would be cut off.
    st.caption(" · ".join([part for part in said if part][:3]))
    if survey is not None:
        colour = "orange" if survey.is_fresh and survey.left_over else "gray"
        label = f":{colour}-badge[~{survey.left_over} left]"
        if st.button(label, key=f"left-{image.id}", type="tertiary", help=said_of(survey)):
            left_dialog(shop, image, survey)
    row = st.container(horizontal=True, vertical_alignment="center")
    if row.button("Open", key=f"open-{image.id}", help="Open in the workbench"):
        st.switch_page("annotate.py", query_params={"image": str(image.id)})
    if may(shop, "delete_images"):
        row.checkbox("Select", key=f"{_PREFIX}{image.id}")
