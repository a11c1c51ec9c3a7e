"""Why something was left out, as a list."""

from typing import Final

import streamlit as st

_MOST_WHOLE: Final = 30


def show_reasons(rows: list[dict[str, str]]) -> None:
    """Show rows of sentences, each whole; thousands of them in a table that draws only what is in sight."""
    if len(rows) <= _MOST_WHOLE:
        st.table(rows, hide_index=True)
    else:
        st.dataframe(rows, hide_index=True)
