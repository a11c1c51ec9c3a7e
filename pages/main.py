"""The frame of every page: who is signed in, navigation on top, then the page that was asked for."""

import streamlit as st

from core.projects import person_name
from core.roles import may
from pages.ui.account import account_menu
from pages.ui.frame import ABOUT, ICON, slim_header
from pages.ui.resources import open_workshop

# A menu that holds something of ours also holds the choice between dark and light.
st.set_page_config(page_title="Masksmith", page_icon=ICON, layout="wide", menu_items={"About": ABOUT})
slim_header()

shop = open_workshop("annotate")
account_menu(shop, person_name(shop))


def _page(file: str, title: str, icon: str, *, shown: bool = True, default: bool = False) -> st.Page:
    # What is not shown can still be asked for by its address, and then says why it is not.
    return st.Page(file, title=title, icon=icon, default=default, visibility="visible" if shown else "hidden")


page = st.navigation(
    [
        _page("annotate.py", "Annotate", ":material/ink_highlighter:", default=True),
        _page("images.py", "Images", ":material/photo_library:"),
        _page("own.py", "My work", ":material/person:", shown=shop.signed_in),
        _page("review.py", "Review", ":material/rate_review:", shown=may(shop, "review")),
        _page("metrics.py", "Metrics", ":material/monitoring:", shown=may(shop, "see_team")),
        _page("models.py", "Models", ":material/neurology:", shown=may(shop, "models")),
        _page("settings.py", "Settings", ":material/tune:", shown=may(shop, "settings")),
        _page("team.py", "Team", ":material/group:", shown=shop.signed_in and may(shop, "see_team")),
    ],
    position="top",
)
page.run()
