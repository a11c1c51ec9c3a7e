"""What reviews say of a person's masks: the weeks, and the commonest errors with examples."""

from datetime import UTC, datetime

import plotly.graph_objects as go
import streamlit as st

from core import feedback, reviewing
from core.errors import FORESEEN
from core.feedback import Mistake, Week
from core.mask_rows import decoded
from core.review_views import views
from core.reviewing import CODES
from core.roles import may
from core.workshop import Workshop
from pages.ui.resources import jpeg_bytes
from pages.ui.text import plain


def show_feedback(shop: Workshop) -> None:
    """Show how reviews of somebody's masks went."""
    person = shop.person_id
    names = feedback.everybody(shop) if may(shop, "see_others") else {}
    if len(names) > 1:
        ids = list(names)
        chosen = st.selectbox("Whose masks", ids, ids.index(person), format_func=lambda one: names[one], width=300)
        person = int(chosen)
    found = feedback.feedback(shop, person, today=datetime.now(UTC))
    if not found.weeks:
        st.info("No mask was reviewed in the last eight weeks.", icon=":material/hourglass_empty:")
        return
    left, right = st.columns([2, 3])
    with left:
        _newest(found.weeks[-1])
        st.plotly_chart(_chart(found.weeks), key="feedback-weeks", config={"displayModeBar": False})
    with right:
        st.markdown("**Commonest errors**")
        if not found.mistakes:
            st.caption("No reviewer named an error.")
        for mistake in found.mistakes:
            _mistake(shop, mistake)


def _newest(week: Week) -> None:
    good = week.good
    reviewed = "1 verdict" if week.reviewed == 1 else f"{week.reviewed} verdicts"
    rated = "" if week.rating is None else f", rated {week.rating:.1f}"
    st.markdown(
        f"**Week of {week.monday:%Y-%m-%d}**: {reviewed}, {good.mean:.0%} good "
        f"(95 % interval {good.low:.0%} to {good.high:.0%}){rated}"
    )


def _chart(weeks: tuple[Week, ...]) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(
        x=[f"{week.monday:%b %d}" for week in weeks],
        y=[week.good.mean for week in weeks],
        error_y={
            "array": [week.good.high - week.good.mean for week in weeks],
            "arrayminus": [week.good.mean - week.good.low for week in weeks],
        },
        mode="lines+markers",
        customdata=[week.reviewed for week in weeks],
        hovertemplate="%{y:.0%} good of %{customdata} verdicts<extra></extra>",
    )
    figure.update_layout(
        height=260,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"type": "category", "title": "week of"},
        yaxis={"title": "good masks", "range": [0, 1.05], "tickformat": ".0%"},
    )
    return figure


def _mistake(shop: Workshop, mistake: Mistake) -> None:
    on = "1 mask" if mistake.count == 1 else f"{mistake.count} masks"
    st.markdown(f"{CODES.get(mistake.code, mistake.code).capitalize()}: {on}")
    row = st.container(horizontal=True)
    for one in mistake.examples:
        try:
            task = reviewing.task(shop, one.mask_id)
            pixels = shop.working_pixels(task.image.working_sha256)
        except FORESEEN as error:
            row.caption(plain(str(error)))
            continue
        shown = views(pixels, decoded(task.mask), lines=one.markup).close_over
        row.image(jpeg_bytes(shown), width=150, caption=plain(task.image.name))
