"""Choosing the model that answers prompts."""

from pathlib import Path

import streamlit as st

from core import model_choice
from core.errors import FORESEEN
from core.model_choice import Model
from core.segmentation.catalogue import CHECKPOINTS, download
from core.workshop import Workshop
from pages.ui.text import plain


@st.dialog("Model")
def model_dialog(shop: Workshop) -> None:
    """Show the models, and let one answer from the next start on."""
    running = shop.desk.segmenter
    st.write(f"Now **{plain(running.title)}** answers, on {running.device}.")
    models = model_choice.models(shop)
    names = {model.name: model for model in models}
    chosen = st.radio(
        "From the next start on",
        list(names),
        next((index for index, model in enumerate(models) if model.used), 0),
        format_func=lambda name: names[name].title,
        captions=[_caption(model) for model in models],
    )
    model = names[str(chosen)]
    path = ""
    if model.name in CHECKPOINTS:
        path = st.text_input("Its checkpoint on the server, if it is elsewhere", placeholder="/path/to/checkpoint.pth")
    row = st.container(horizontal=True)
    if row.button("Use it", type="primary"):
        _use(shop, model, path.strip())
    if model.name in CHECKPOINTS and not model.here and row.button("Download", icon=":material/download:"):
        _download(shop, model)


def _caption(model: Model) -> str:
    if not model.size_bytes:
        return "Colour alone, no weights."
    return "Here." if model.here else f"Not here; {model.size_bytes / 1e6:,.0f} MB to download."


def _use(shop: Workshop, model: Model, path: str) -> None:
    try:
        model_choice.use(shop, model.name, Path(path).expanduser() if path else None)
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.success(f"{plain(model.title)} answers from the next start on.", icon=":material/check:")


def _download(shop: Workshop, model: Model) -> None:
    bar = st.progress(0.0, "Downloading…")

    def show(had: int, total: int) -> None:
        bar.progress(min(1.0, had / total), f"{had / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    try:
        download(CHECKPOINTS[model.name], shop.settings.models, progress=show)
    except FORESEEN as error:
        bar.empty()
        st.error(plain(str(error)), icon=":material/error:")
        return
    bar.empty()
    st.success("The checkpoint is here, and its hash is right.", icon=":material/check:")
