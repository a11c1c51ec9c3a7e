"""Team: who is there, what they work on and made in the last days, who did what; owners invite and change people."""

from datetime import UTC, datetime

import streamlit as st

from core import team
from core.roles import may
from pages.ui.frame import use_the_width
from pages.ui.members import change_dialog, invite_dialog, show_members
from pages.ui.resources import open_workshop
from pages.ui.trail import show_trail

shop = open_workshop("see_team")
use_the_width()

if not shop.signed_in:
    st.info(
        "Nobody signs in here yet. A team begins with `masksmith people password owner` on the server.",
        icon=":material/group:",
    )
    st.stop()

found = team.members(shop, at=datetime.now(UTC))
here = sum(member.person.deactivated_at is None for member in found)
bar = st.container(horizontal=True, vertical_alignment="center", key="team-bar")
bar.markdown(f"**{here} {'person' if here == 1 else 'people'}** on the team")
bar.space("stretch")
if may(shop, "people"):
    if bar.button("Change somebody", icon=":material/manage_accounts:"):
        change_dialog(shop, found)
    if bar.button("Invite somebody", icon=":material/person_add:", type="primary"):
        invite_dialog(shop)

show_members(found)
show_trail(shop)
