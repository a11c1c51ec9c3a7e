"""Review: audits, flagged masks, what was sent back, and the hard queue."""

import streamlit as st

from core import reviewing
from pages.ui.audits import show_audits
from pages.ui.feedback import show_feedback
from pages.ui.frame import use_the_width
from pages.ui.resources import open_workshop
from pages.ui.review_lists import show_hard_queue, show_sent_back
from pages.ui.review_task import go_and_fix, review, show_undo
from pages.ui.rounds import show_rounds
from pages.ui.text import counted

QUEUES = ("Audits", "Flagged", "Not reviewed", "Sent back", "Hard queue", "Feedback", "Agreement")

shop = open_workshop("review")
go_and_fix()
use_the_width()

waiting = reviewing.waiting(shop)
counts = {
    "Flagged": waiting.flagged,
    "Not reviewed": waiting.unreviewed,
    "Sent back": waiting.sent_back,
    "Hard queue": waiting.hard,
}
bar = st.container(horizontal=True, vertical_alignment="bottom", key="review-bar")
queue = bar.segmented_control(
    "Queue",
    QUEUES,
    default="Audits",
    required=True,
    key="queue",
    label_visibility="collapsed",
    format_func=lambda name: f"{name} ({counted(counts[name], reviewing.WAITING)})" if name in counts else name,
)
bar.space("stretch")
show_undo(bar, shop)

if queue == "Audits":
    show_audits(shop)
elif queue == "Sent back":
    show_sent_back(shop)
elif queue == "Hard queue":
    show_hard_queue(shop)
elif queue == "Feedback":
    show_feedback(shop)
elif queue == "Agreement":
    show_rounds(shop)
else:
    mask_id = reviewing.next_mask(shop, "flagged" if queue == "Flagged" else "unreviewed")
    if mask_id is None:
        st.info("Nothing waits here.", icon=":material/done_all:")
    else:
        review(shop, mask_id)
