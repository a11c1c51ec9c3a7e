"""What is left on one image: the photo with outlines of what no mask covers."""

import streamlit as st

from core import covering
from core.errors import FORESEEN
from core.workshop import Workshop
from pages.ui.resources import jpeg_bytes
from pages.ui.text import plain
from storage.rows import ImageRow, SurveyRow


def said_of(survey: SurveyRow) -> str:
    """Return what a survey says, in words."""
    said = (
        f"By the model's guess: {survey.left_over} objects without a mask, beside {survey.masks} with one. "
        f"No mask covers {survey.uncovered:.0%} of the photo."
    )
    return said if survey.is_fresh else f"{said} The masks have changed since."


@st.dialog("What is left", width="medium")
def left_dialog(shop: Workshop, image: ImageRow, survey: SurveyRow) -> None:
    """Show the photo with outlines of what is left, and a way to the workbench."""
    try:
        picture = covering.picture_of_left(shop, image)
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.image(jpeg_bytes(picture), width="content", alt=f"{image.name} with what is left outlined")
    st.markdown(plain(said_of(survey)))
    st.caption(f"Surveyed {survey.made_at:%Y-%m-%d %H:%M} UTC. Outlines are coarse; at most {covering.MOST_KEPT}.")
    if st.button("Open in the workbench", icon=":material/ink_highlighter:", type="primary"):
        st.switch_page("annotate.py", query_params={"image": str(image.id)})
