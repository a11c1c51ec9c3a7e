"""What pages hold between their runs: the server's one workshop, and whatever is kept in its memory."""

from io import BytesIO
from typing import Any

import streamlit as st
from PIL import Image

from core import workshop
from core.errors import FORESEEN
from core.workshop import Workshop


def open_workshop() -> Workshop:
    """Return the open workshop, or show why there is none and stop the page."""
    try:
        return workshop.shared()
    except FORESEEN as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


@st.cache_resource
def outlines() -> dict[int, Any]:
    """Return the outlines by hand that are not saved yet, by image; they live as long as the server."""
    return {}


def jpeg_bytes(pixels: Any) -> bytes:
    """Return RGB pixels of shape (H, W, 3) as a JPEG file; a photo as PNG takes ten times as long.

    Colours are kept for each pixel, so that thin outlines stay sharp.
    """
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


@st.cache_data(max_entries=8, show_spinner=False)
def as_jpeg(data: bytes) -> bytes:
    """Return a working image as JPEG, which the drawing canvas takes as a data URL."""
    if data[:3] == b"\xff\xd8\xff":
        return data
    buffer = BytesIO()
    Image.open(BytesIO(data)).convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
