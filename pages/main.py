"""The frame of every page: navigation on top, then the page that was asked for."""

import streamlit as st

st.set_page_config(page_title="Masksmith", page_icon=":material/draw:", layout="wide")

page = st.navigation(
    [
        st.Page("annotate.py", title="Annotate", icon=":material/ink_highlighter:", default=True),
        st.Page("images.py", title="Images", icon=":material/photo_library:"),
    ],
    position="top",
)
page.run()
