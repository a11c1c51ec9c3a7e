"""The look of the window, and how much of it a page takes."""

from typing import Final

import streamlit as st

ABOUT: Final = "**Masksmith** turns photos into precise object masks. It runs on your own machine and needs no network."
# Drawn here: Streamlit would fetch an icon of its own set from the network.
ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#16181d"/>'
    '<path d="M8 20C5 11 12 5 19 7s9 10 4 15-13 5-15-2z" fill="#22c7ff" fill-opacity=".35" stroke="#22c7ff"'
    ' stroke-width="2"/><circle cx="16" cy="15" r="4" fill="#f0a020"/></svg>'
)
# Photos need the height more than two links do.
_SLIM: Final = """
<style>
  [data-testid="stHeader"] { height: 2.75rem; min-height: 2.75rem; }
  [data-testid="stMain"]:focus-visible { outline: none; box-shadow: none; }
</style>
"""
# The workbench fills what is below the navigation; Streamlit's own margins would make the page scroll.
_FILL: Final = """
<style>
  [data-testid="stMainBlockContainer"] { padding: 0; max-width: none; }
  [data-testid="stMain"] { overflow: hidden; }
  [data-testid="stVerticalBlock"] { gap: 0; }
</style>
"""
_READING: Final = """
<style>
  [data-testid="stMainBlockContainer"] { padding: 3.75rem 2rem 2rem; max-width: 1800px; }
</style>
"""


def slim_header() -> None:
    """Make the navigation no higher than it must be."""
    st.html(_SLIM)


def fill_the_window() -> None:
    """Give the page the whole window below the navigation."""
    st.html(_FILL)


def use_the_width() -> None:
    """Let the page begin right below the navigation and use a wide window."""
    st.html(_READING)
