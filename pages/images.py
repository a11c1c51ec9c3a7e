"""Images: what is in the library; import, find, open, delete, export; what is left and whether it is even; privacy."""

import streamlit as st

from core import library
from core.roles import may
from pages.ui.coverage import show_coverage
from pages.ui.frame import use_the_width
from pages.ui.grid import PER_PAGE, chosen_images, show_grid
from pages.ui.model import model_dialog
from pages.ui.moving import delete_dialog, import_dialog
from pages.ui.moving_masks import export_dialog, import_masks_dialog
from pages.ui.priority import priority_menu
from pages.ui.privacy import show_privacy
from pages.ui.resources import open_workshop
from pages.ui.text import plain

STATES = {"All": None, "New": "new", "In work": "in_work", "Done": "done"}

ORDERS = {"As imported": False, "Most left first": True}

shop = open_workshop("annotate")
use_the_width()

if shop.trouble:
    st.warning(plain(shop.trouble), icon=":material/warning:")

top = st.container(horizontal=True, vertical_alignment="center", key="library-top")
views = ["Library", *(["Coverage"] if may(shop, "review") else []), *(["Privacy"] if may(shop, "privacy") else [])]
view = top.segmented_control(
    "View", views, default="Library", required=True, key="images-view", label_visibility="collapsed"
)
top.space("stretch")
if may(shop, "models") and top.button("Model", icon=":material/neurology:"):
    model_dialog(shop)
if may(shop, "import") and top.button("Import masks", icon=":material/upload:"):
    import_masks_dialog(shop)
if may(shop, "export") and top.button("Export masks", icon=":material/download:"):
    export_dialog(shop)
if may(shop, "import") and top.button("Import photos", icon=":material/add_photo_alternate:", type="primary"):
    import_dialog(shop)

if view == "Coverage":
    show_coverage(shop)
    st.stop()
if view == "Privacy":
    show_privacy(shop)
    st.stop()

bar = st.container(horizontal=True, vertical_alignment="bottom", key="library-bar")
search = bar.text_input("Find by name", placeholder="Part of a file name", key="search", width=210).strip()
state = STATES[bar.segmented_control("State", list(STATES), default="All", required=True, key="state") or "All"]
order = bar.segmented_control(
    "Order",
    list(ORDERS),
    default="As imported",
    required=True,
    key="order",
    help="Most left first shows the surveyed images, those first on which the model finds most that has no mask.",
)
most_left = ORDERS[order or "As imported"]
chosen = chosen_images() if may(shop, "delete_images") else []
if chosen:
    priority_menu(shop, chosen, bar)
if chosen and bar.button(f"Delete {len(chosen)}", icon=":material/delete:"):
    delete_dialog(shop, chosen)

page = st.session_state.get("page_number", 1)
found = library.find(
    shop,
    search=search or None,
    state=state,
    limit=PER_PAGE,
    offset=(page - 1) * PER_PAGE,
    most_left=most_left,
)
if not found.total and most_left and not (search or state):
    st.info("No image is surveyed yet. The view Coverage surveys them.", icon=":material/travel_explore:")
elif not found.total and (search or state):
    st.info("No image fits. Change the name or the state to see others.", icon=":material/search_off:")
elif not found.total:
    todo = "Import photos to begin." if may(shop, "import") else "A manager imports photos."
    st.info(f"The library is empty. {todo}", icon=":material/add_photo_alternate:")
else:
    counted = f"{found.total:,} images" if found.total != 1 else "1 image"
    st.caption(f"{counted} with a survey; others are not listed in this order." if most_left else counted)
    show_grid(shop, found.images, found.surveys)
    pages = -(-found.total // PER_PAGE)
    if pages > 1:
        st.pagination(pages, key="page_number")
