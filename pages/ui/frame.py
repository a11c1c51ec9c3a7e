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


def fill_the_window() -> None:
    """Give the page the whole window below the navigation."""
    st.html(_FILL)
