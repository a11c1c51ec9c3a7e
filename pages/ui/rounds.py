"""Rounds on the Review page: giving the same images to several people, and how far they agree."""

from typing import Final

import streamlit as st

from core import calibrating, feedback, projects, rounds
from core.errors import FORESEEN
from core.roles import may
from core.round_results import PairResult, compare, standings
from core.rounds import Asked, Kind
from core.workshop import Workshop
from pages.ui.round_charts import show_pairs
from pages.ui.text import plain
from storage.rows import RoundRow, SeatRow

_KINDS: Final[dict[str, Kind]] = {
    "Agreement: how far people agree with each other": "agreement",
    "Calibration: how far each agrees with the library's masks": "calibration",
}


def show_rounds(shop: Workshop) -> None:
    """Show a round, the newest first: who is how far, and what it says."""
    found = rounds.every(shop)
    row = st.container(horizontal=True, vertical_alignment="center")
    chosen = (
        row.selectbox("Round", found, format_func=_title, width=320, label_visibility="collapsed") if found else None
    )
    if chosen is None:
        row.markdown(
            "No round yet. A round gives the same images to several people, who do not see each other's masks, "
            "and tells how far they agree.",
            width="stretch",
        )
    else:
        seats = rounds.seats(shop, chosen.id)
        row.space("stretch")
        if chosen.closed_at is None:
            row.button("End it", icon=":material/stop_circle:", on_click=rounds.close, args=(shop, chosen.id))
    if row.button("New round", icon=":material/groups:", type="secondary" if found else "primary"):
        _begin(shop)
    if chosen is not None:
        st.markdown(" · ".join(_progress(seat) for seat in seats))
        _result(shop, chosen, seats)


def _title(row: RoundRow) -> str:
    ended = ", ended" if row.closed_at else ""
    return f"{row.name} ({row.kind}{ended})"


def _progress(seat: SeatRow) -> str:
    if seat.person_id is None:
        return f"**agreed masks** {seat.masks}"
    return f"**{plain(seat.name or '?')}** {seat.done} of {seat.images} images, {seat.masks} masks"


def _result(shop: Workshop, chosen: RoundRow, seats: list[SeatRow]) -> None:
    # What was made of a finished image may still change: masks count as well.
    state = tuple((seat.project_id, seat.done, seat.masks) for seat in seats)
    with st.spinner("Comparing …", show_time=True):
        results = _compared(state, shop, seats)
    if chosen.kind == "calibration":
        _calibration(shop, chosen, results, seats)
    if not results:
        st.info(
            "No image is done by two of them yet. Each finds the round on the Annotate page, on top.",
            icon=":material/hourglass_empty:",
        )
        return
    show_pairs(shop, results)


@st.cache_data(max_entries=8, show_spinner=False)
def _compared(state: tuple[tuple[int, int, int], ...], _shop: Workshop, _seats: list[SeatRow]) -> list[PairResult]:
    return compare(_shop, _seats)


def _calibration(shop: Workshop, chosen: RoundRow, results: list[PairResult], seats: list[SeatRow]) -> None:
    asked = chosen.passing
    required = projects.settings(shop).calibration == chosen.id
    st.toggle(
        "New annotators pass this before real work",
        value=required,
        key=f"required-{chosen.id}",
        on_change=_require,
        args=(shop, None if required else chosen.id),
        disabled=not may(shop, "settings"),
        help=f"It asks for F1 {asked['f1']:.0%} at IoU 0.5 and a mean IoU of {asked['iou']:.0%}.",
    )
    everybody = st.container(horizontal=True)
    for standing in standings(chosen, results, seats):
        seat = standing.seat
        row = everybody.container(horizontal=True, vertical_alignment="center", width="content", border=True)
        row.markdown(f"**{plain(seat.name or '?')}**: F1 {standing.f1:.0%}, IoU {standing.iou:.0%}", width="content")
        if standing.passed:
            row.badge("passed", color="green")
        elif seat.finished:
            row.badge("not passed", color="orange")
        else:
            row.badge("not through yet", color="gray")
        if not standing.passed:
            row.button("Let pass", key=f"pass-{seat.project_id}", on_click=calibrating.let_pass, args=(shop, seat))


def _require(shop: Workshop, round_id: int | None) -> None:
    projects.change_settings(shop, {"calibration": round_id})


@st.dialog("New round")
def _begin(shop: Workshop) -> None:
    names = feedback.everybody(shop)
    name = st.text_input("Name", max_chars=200)
    kind = st.radio("What for", list(_KINDS))
    people = st.multiselect("Who", list(names), format_func=lambda one: names[one])
    count = int(st.number_input("Images, drawn at random", 1, rounds.MOST_IMAGES, 10))
    agreed = st.checkbox(
        "Compare with the library's masks too",
        help="Draws from images that are done and have masks; a calibration always does.",
    )
    passing = None
    if _KINDS[kind] == "calibration":
        row = st.container(horizontal=True)
        passing = {
            "f1": row.number_input("Least F1, %", 0, 100, round(100 * rounds.PASSING["f1"])) / 100,
            "iou": row.number_input("Least IoU, %", 0, 100, round(100 * rounds.PASSING["iou"])) / 100,
        }
    if not st.button("Begin", type="primary"):
        return
    try:
        rounds.begin(shop, Asked(name, tuple(people), count, _KINDS[kind], agreed, passing))
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
    else:
        st.rerun()
