"""Annotate: the workbench, or the outline-by-hand mode of one image; in a round, from the person's own seat."""

import streamlit as st

from core import calibrating, rounds
from core.errors import FORESEEN
from pages.canvas import Whose, workbench
from pages.canvas.assets import version
from pages.ui.by_hand import ByHand, outline_by_hand
from pages.ui.frame import fill_the_window, use_the_width
from pages.ui.resources import open_workshop, room_of
from pages.ui.text import plain


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


shop = open_workshop("annotate")
round_id = _number(st.query_params.get("round", ""))
if round_id is None and (required := calibrating.required(shop)) is not None:
    if required.standing is not None:
        asked, standing = required.round.passing, required.standing
        st.warning(
            f"The calibration **{plain(required.round.name)}** must reach F1 {asked['f1']:.0%} and IoU "
            f"{asked['iou']:.0%} before real work; you came to {standing.f1:.0%} and {standing.iou:.0%}. "
            "Ask whoever runs the project.",
            icon=":material/school:",
        )
        st.stop()
    round_id = required.round.id
    st.query_params["round"] = str(round_id)
if round_id is not None:
    try:
        shop = rounds.enter(shop, round_id)
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()

# Only a fresh page asks its address: a browser may still send the old one while the mode is being left.
if "by_hand" not in st.session_state:
    st.session_state["by_hand"] = ByHand.of_url(shop.person_id)
by_hand: ByHand | None = st.session_state["by_hand"]

if by_hand is not None:
    use_the_width()
    outline_by_hand(shop, by_hand)
else:
    fill_the_window()
    image_id, mask_id = (_number(st.query_params.get(name, "")) for name in ("image", "mask"))
    whose = Whose(shop.person_id, room_of(shop)) if shop.signed_in else Whose()
    skip = st.query_params.get("skip")
    result = workbench(image_id=image_id, mask_id=mask_id, skip=skip, whose=whose, round_id=round_id, version=version())
    if result.by_hand is not None:
        by_hand = ByHand.start(shop.person_id, result.by_hand)
        by_hand.put_in_url()
        st.session_state["by_hand"] = by_hand
        st.rerun()
