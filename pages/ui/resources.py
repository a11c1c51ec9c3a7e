"""The server's one workshop, as pages get it."""

import streamlit as st

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
