"""Settings: what the project is annotated under, and the guidelines that annotators read."""

import streamlit as st

from pages.ui.frame import use_the_width
from pages.ui.guidelines import show_guidelines
from pages.ui.project import begin, show_settings
from pages.ui.resources import open_workshop

VIEWS = ("Work", "Guidelines")

shop = open_workshop("settings")
use_the_width()

if "settings-view" not in st.session_state:  # the page was just come to: what was shown before is no news
    begin(shop)
view = st.segmented_control(
    "View", VIEWS, default="Work", required=True, key="settings-view", label_visibility="collapsed"
)
if view == "Guidelines":
    show_guidelines(shop)
else:
    show_settings(shop)
