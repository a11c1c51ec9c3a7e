"""A chart of the Metrics page, and what charts are drawn with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from core.metrics import LEAST

Rows = list[dict[str, Any]]
HEIGHT: Final = 250
ACCENT: Final = "#f0a020"
PALE: Final = "#8a93a3"


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart; without a figure `instead` says why none is drawn. `picks`: what a click on a bar leads to."""

    key: str
    title: str
    definition: str
    figure: go.Figure | None
    rows: Rows
    instead: str = ""
    picks: str = ""


def chart(
    key: str,
    title: str,
    definition: str,
    rows: Rows,
    count: int,
    figure: go.Figure,
    *,
    what: str = "masks",
    picks: str = "",
) -> Chart:
    """Return a chart, or why none is drawn where there are fewer than `LEAST`."""
    if count < LEAST:
        return Chart(key, title, definition, None, rows, few(count, what))
    figure.update_layout(
        height=HEIGHT, margin={"l": 10, "r": 10, "t": 20, "b": 10}, bargap=0.08, clickmode="event+select"
    )
    return Chart(key, title, definition, figure, rows, picks=picks)


def bars(x: Sequence[Any], y: Sequence[Any], **layout: Any) -> go.Figure:
    """Return bars of one colour."""
    figure = go.Figure(go.Bar(x=list(x), y=list(y), marker_color=ACCENT, hovertemplate="%{x}: %{y:,}<extra></extra>"))
    figure.update_layout(showlegend=False, **layout)
    return figure


def histogram(key: str, title: str, definition: str, counts: Any, axis: str, *, picks: str = "") -> Chart:
    """Return the chart of counts in equal bins of [0, 1]."""
    width = 1 / len(counts)
    rows = [
        {"from": round(place * width, 4), "to": round((place + 1) * width, 4), "masks": int(count)}
        for place, count in enumerate(counts)
    ]
    figure = go.Figure(
        go.Bar(
            x=[(place + 0.5) * width for place in range(len(counts))],
            y=[row["masks"] for row in rows],
            width=width,
            marker_color=ACCENT,
            customdata=[[row["from"], row["to"]] for row in rows],
            hovertemplate="%{customdata[0]} to %{customdata[1]}: %{y:,}<extra></extra>",
        )
    )
    figure.update_layout(xaxis={"title": axis, "range": [0, 1]}, yaxis={"title": "masks"})
    return chart(key, title, definition, rows, int(counts.sum()), figure, picks=picks)


def few(count: int, what: str = "masks") -> str:
    """Say why so few are not drawn."""
    return f"Fewer than {LEAST} {what} so far: too few to draw." if count else f"No {what} yet."
