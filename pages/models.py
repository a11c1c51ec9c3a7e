"""Models: who answers prompts, what it learned from, how it measures; retrain, promote, roll back."""

import streamlit as st

from core import jobs
from core.model_report import report
from pages.ui.frame import use_the_width
from pages.ui.model import model_dialog
from pages.ui.resources import open_workshop
from pages.ui.retraining import show_retraining
from pages.ui.text import plain
from pages.ui.usage import show_usage
from pages.ui.versions import show_version

shop = open_workshop("models")
use_the_width()

if shop.trouble:
    st.warning(plain(shop.trouble), icon=":material/warning:")

found = report(shop)
now = next(one for one in found if one.answers)
bar = st.container(horizontal=True, vertical_alignment="center", key="models-bar")
bar.markdown(f"**{plain(now.version.detail.get('title', now.version.name))}**, version {now.version.id}, answers now.")
bar.space("stretch")
if bar.button("Choose or add a model", icon=":material/neurology:"):
    model_dialog(shop)

show_retraining(shop, jobs.newest(shop))
show_usage(found)
for one in found:
    show_version(shop, one)
