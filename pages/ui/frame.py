"""How much of the window a page takes."""

import streamlit as st

# The workbench fills what is below the navigation; Streamlit's own margins would make the page scroll.
_FILL = """
<style>
  [data-testid="stMainBlockContainer"] { padding: 0; max-width: none; }
  [data-testid="stMain"] { overflow: hidden; }
  [data-testid="stVerticalBlock"] { gap: 0; }
</style>
"""
_READING = """
<style>
  [data-testid="stMainBlockContainer"] { padding: 4.75rem 2rem 2rem; max-width: 1800px; }
</style>
"""


def fill_the_window() -> None:
    """Give the page the whole window below the navigation."""
    st.html(_FILL)


def use_the_width() -> None:
    """Let the page begin right below the navigation and use a wide window."""
    st.html(_READING)
