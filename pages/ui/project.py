"""The project's settings: what the time limit does, labels, and the smallest mask."""

from typing import Any

import streamlit as st

from core.balancing import ORDERS
from core.errors import FORESEEN
from core.projects import change_settings, settings
from core.workshop import Workshop
from pages.ui.text import plain

_MODES = {"skip": "Skip the object to the hard queue", "warn": "Only warn"}


@st.dialog("Project settings")
def project_dialog(shop: Workshop) -> None:
    """Show the settings of the project and save what is changed."""
    now = settings(shop)
    with st.form("project-settings", border=False):
        limit = st.number_input("Time limit of one object, in seconds", 5, 3600, now["skip_limit_s"])
        warn = st.number_input("Warn after, in seconds", 1, 3600, now["warn_at_s"])
        mode = st.radio("At the limit", list(_MODES), list(_MODES).index(now["skip_mode"]), format_func=_MODES.get)
        smallest = st.number_input(
            "Flag masks below, in pixels",
            0,
            10**6,
            now["min_area"],
            help="Cleaning takes islands and holes below it first.",
        )
        labels = st.toggle("A label for each mask", now["labels"])
        names = st.text_area(
            "Label names, one a line",
            "\n".join(now["label_names"]),
            help="Offered while typing; others can be typed too.",
        )
        order = st.radio(
            "Order of images",
            ORDERS,
            ORDERS.index(now["next_order"]),
            format_func=str.capitalize,
            help="The last two need surveys: page Images, view Coverage. Images without one follow as imported.",
        )
        saved = st.form_submit_button("Save", type="primary")
    if saved:
        _save(
            shop,
            skip_limit_s=limit,
            warn_at_s=warn,
            skip_mode=mode,
            min_area=smallest,
            labels=labels,
            next_order=order,
            label_names=list(dict.fromkeys(name.strip() for name in names.splitlines() if name.strip())),
        )


def _save(shop: Workshop, **changes: Any) -> None:
    try:
        change_settings(shop, changes)
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.rerun()
