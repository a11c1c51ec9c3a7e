"""What pages hold between their runs: the server's one workshop, and whatever is kept in its memory."""

from io import BytesIO
from typing import Any

import streamlit as st
from PIL import Image, ImageDraw
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import workshop
from core.errors import FORESEEN, NotSignedIn, PasswordDue
from core.roles import Permission, require
from core.sign_in import COOKIE, whose
from core.workshop import Workshop
from pages.ui.account import ask_to_sign_in
from pages.ui.frame import use_the_width
from pages.ui.text import plain, sentence


def open_workshop(permission: Permission) -> Workshop:
    """Return the workshop in the hands of whoever is signed in, once they may do what the page is for.

    Else the page stops with the form that signs in, or with one sentence. Every page asks for itself: which one runs
    first on a fresh server is not for us to say.
    """
    token = st.context.cookies.get(COOKIE)
    run = get_script_run_ctx()
    session_id = run.session_id if run else ""
    try:
        shop = whose(workshop.shared(), token)
        shop.page_hands.note(session_id, shop.hands)
        require(shop, permission)
        return shop
    except (NotSignedIn, PasswordDue):
        workshop.shared().page_hands.drop(session_id)
        ask_to_sign_in(workshop.shared(), token)
    except FORESEEN as error:
        use_the_width()
        st.error(plain(sentence(error)), icon=":material/error:")
    st.stop()


def room_of(shop: Workshop) -> str:
    """Return the name under which a browser keeps a person's unsent things; the owner's is that of before sign-in."""
    return "masksmith" if shop.person_id == workshop.shared().person_id else f"masksmith-{shop.person_id}"


@st.cache_resource
def outlines(person_id: int) -> dict[int, Any]:
    """Return a person's outlines by hand that are not saved yet, by image; they live as long as the server."""
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


@st.cache_data(max_entries=8, show_spinner=False)
def marked(data: bytes, x: float, y: float) -> bytes:
    """Return a working image as JPEG with a ring around a place of it, dark and bright so that it is seen anywhere."""
    image = Image.open(BytesIO(data)).convert("RGB")
    ring = max(image.size) / 100
    for reach, colour, width in ((ring + 1, "black", 4), (ring, "#ffb000", 2)):
        ImageDraw.Draw(image).ellipse((x - reach, y - reach, x + reach, y + reach), outline=colour, width=width)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
