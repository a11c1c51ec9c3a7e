"""Images: what is in the library; import, find, open, delete, export."""

import streamlit as st

from core import library
from pages.ui.frame import use_the_width
from pages.ui.grid import PER_PAGE, chosen_images, show_grid
from pages.ui.model import model_dialog
from pages.ui.moving import delete_dialog, import_dialog
from pages.ui.moving_masks import export_dialog, import_masks_dialog
from pages.ui.project import project_dialog
from pages.ui.resources import open_workshop
from pages.ui.text import plain

STATES = {"All": None, "New": "new", "In work": "in_work", "Done": "done"}

shop = open_workshop()
use_the_width()

if shop.trouble:
    st.warning(plain(shop.trouble), icon=":material/warning:")

bar = st.container(horizontal=True, vertical_alignment="bottom", key="library-bar")
search = bar.text_input("Find by name", placeholder="Part of a file name", key="search", width=210).strip()
state = STATES[bar.segmented_control("State", list(STATES), default="All", required=True, key="state") or "All"]
bar.space("stretch")
chosen = chosen_images()
if chosen and bar.button(f"Delete {len(chosen)}", icon=":material/delete:"):
    delete_dialog(shop, chosen)
if bar.button("Project settings", icon=":material/tune:"):
    project_dialog(shop)
if bar.button("Model", icon=":material/neurology:"):
    model_dialog(shop)
if bar.button("Import masks", icon=":material/upload:"):
    import_masks_dialog(shop)
if bar.button("Export masks", icon=":material/download:"):
    export_dialog(shop)
if bar.button("Import photos", icon=":material/add_photo_alternate:", type="primary"):
    import_dialog(shop)

page = st.session_state.get("page_number", 1)
found = library.find(shop, search=search or None, state=state, limit=PER_PAGE, offset=(page - 1) * PER_PAGE)
if not found.total and (search or state):
    st.info("No image fits. Change the name or the state to see others.", icon=":material/search_off:")
elif not found.total:
    st.info("The library is empty. Import photos to begin.", icon=":material/add_photo_alternate:")
else:
    st.caption(f"{found.total:,} images" if found.total != 1 else "1 image")
    show_grid(shop, found.images)
    pages = -(-found.total // PER_PAGE)
    if pages > 1:
        st.pagination(pages, key="page_number")
