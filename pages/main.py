"""The frame of every page: navigation on top, then the page that was asked for."""

import streamlit as st

from pages.ui.frame import ABOUT, ICON, slim_header

# A menu that holds something of ours also holds the choice between dark and light.
st.set_page_config(page_title="Masksmith", page_icon=ICON, layout="wide", menu_items={"About": ABOUT})
slim_header()

page = st.navigation(
    [
        st.Page("annotate.py", title="Annotate", icon=":material/ink_highlighter:", default=True),
        st.Page("images.py", title="Images", icon=":material/photo_library:"),
        st.Page("review.py", title="Review", icon=":material/rate_review:"),
        st.Page("metrics.py", title="Metrics", icon=":material/monitoring:"),
        st.Page("models.py", title="Models", icon=":material/neurology:"),
    ],
    position="top",
)
page.run()
