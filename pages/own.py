"""My work: what was sent back to oneself, the hard queue, what reviews say of one's masks, and how many one made."""

from datetime import UTC, datetime

import streamlit as st

from core import team
from pages.ui.feedback import show_feedback
from pages.ui.frame import use_the_width
from pages.ui.members import active_time
from pages.ui.resources import open_workshop
from pages.ui.review_lists import show_hard_queue, show_sent_back

LISTS = ("Sent back", "Hard queue", "Feedback")

shop = open_workshop("see_own")
use_the_width()

mine = team.oneself(shop, at=datetime.now(UTC))
bar = st.container(horizontal=True, vertical_alignment="center", key="own-bar")
shown = bar.segmented_control("List", LISTS, default="Sent back", required=True, label_visibility="collapsed")
bar.space("stretch")
masks = "1 mask" if mine.masks == 1 else f"{mine.masks:,} masks"
each = f", {active_time(mine.active_ms / mine.masks)} each" if mine.masks else ""
bar.markdown(
    f"**{masks}** in the last {team.DAYS} days{each}", width="content", help="Active time; without deleted masks."
)

if shown == "Hard queue":
    show_hard_queue(shop)
elif shown == "Feedback":
    show_feedback(shop)
else:
    show_sent_back(shop)
