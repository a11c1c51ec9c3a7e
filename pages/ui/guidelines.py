"""The guidelines as managers write them: text, pictures, and beside it what annotators will see."""

import streamlit as st

from core import guidelines
from core.errors import FORESEEN
from core.pictures import SUFFIXES
from core.project_settings import MOST_GUIDELINES
from core.projects import settings
from core.workshop import Workshop
from pages.canvas import shown_guidelines
from pages.canvas.assets import version
from pages.ui.project import save, say_how_it_went, shown_settings
from pages.ui.text import sentence

_EXAMPLE = "## What to outline\n\n- every cup, also behind others\n- **no** shadows\n\n![A good mask](cup.jpg)"


def show_guidelines(shop: Workshop) -> None:
    """Show the text beside its preview, and the pictures below."""
    shown = shown_settings()
    say_how_it_went(shop)
    write, see = st.columns(2, gap="large")
    with write:
        text_key = f"guidelines-{shown.number}"
        text = st.text_area(
            "Markdown: headings, lists, bold, links, pictures by their names",
            shown.settings.guidelines,
            max_chars=MOST_GUIDELINES,
            height=330,
            placeholder=_EXAMPLE,
            key=text_key,
        )
        st.button(
            "Save",
            type="primary",
            key="save-guidelines",
            on_click=lambda: save(shop, {"guidelines": st.session_state[text_key]}),
        )
        _pictures(shop)
    with see:
        st.caption("What annotators see: the button *Guidelines* of the workbench, or M")
        with st.container(border=True, height=520):
            hashes = {one.name: one.sha256 for one in settings(shop).guideline_pictures}
            shown_guidelines(text=text or "", pictures=hashes, version=version())


def _pictures(shop: Workshop) -> None:
    number = st.session_state.setdefault("guideline-uploads", 0)
    uploads = st.file_uploader(
        "Pictures",
        type=[suffix.lstrip(".") for suffix in SUFFIXES],
        accept_multiple_files=True,
        key=f"guideline-pictures-{number}",
        help="At most 1500 px are kept, and nothing of what the camera noted.",
    )
    if uploads:
        st.button(f"Add {len(uploads)}", key="add-pictures", on_click=_add, args=(shop, uploads))
    for one in settings(shop).guideline_pictures:
        row = st.container(horizontal=True, vertical_alignment="center")
        row.image(guidelines.picture(shop, one.sha256), width=64, alt=one.name)
        row.code(f"![]({one.name})", language=None, width="stretch")
        row.button("Remove", key=f"remove-{one.name}", on_click=_remove, args=(shop, one.name))


def _add(shop: Workshop, uploads: list[object]) -> None:
    shown, refused = shown_settings(), list[str]()
    for upload in uploads:
        name = str(getattr(upload, "name", "picture"))
        try:
            guidelines.add_picture(shop, name, upload.getvalue())  # type: ignore[attr-defined]
        except FORESEEN as error:
            refused.append(f"{name}: {sentence(error)}")
    st.session_state["guideline-uploads"] += 1
    shown.trouble = " ".join(refused)


def _remove(shop: Workshop, name: str) -> None:
    try:
        guidelines.remove_picture(shop, name)
    except FORESEEN as error:
        shown_settings().trouble = sentence(error)
