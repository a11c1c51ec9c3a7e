"""How far each two people in a round agree: matrix, thresholds, what they disagree about, and the worst images."""

from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from core.errors import FORESEEN
from core.quality.agreement import THRESHOLDS
from core.round_results import Compared, PairResult
from core.round_views import COLOURS, side_by_side
from core.statistics import Interval
from core.workshop import Workshop
from pages.ui.resources import jpeg_bytes
from pages.ui.text import plain
from storage.rows import SeatRow

SPLIT: Final = {"missed": "missed by one", "boundary": "another outline", "granularity": "whole against parts"}
_PLAIN: Final = {"displayModeBar": False}


def show_pairs(shop: Workshop, results: list[PairResult]) -> None:
    """Show what a round says."""
    left, right = st.columns([3, 4])
    with left:
        st.markdown(
            "**Mean IoU of matched masks**",
            help="Masks are matched one to one so that their IoUs add up to most, at 0.5 or more; below it the 95 % "
            "interval over images. Annotators of other data sets came to 85 to 91 %.",
        )
        st.plotly_chart(_matrix(results), key="round-matrix", config=_PLAIN)
    with right:
        st.markdown("**F1 by least IoU**", help="Twice the matched pairs of that IoU or more, by the masks of both.")
        st.plotly_chart(_thresholds(results), key="round-f1", config=_PLAIN)
    st.dataframe(_table(results), hide_index=True, key="round-table")
    row = st.container(horizontal=True, vertical_alignment="bottom")
    pair = row.selectbox("Look at", results, format_func=_pair, width=420) if len(results) > 1 else results[0]
    shown = [one for one in pair.images if one.agreement.disagreements]
    if not shown:
        st.success("These two agree on every image.", icon=":material/done_all:")
        return
    said = f"Image, of {len(shown)} with disagreement, worst first"
    at = int(row.number_input(said, 1, len(shown), 1, width=320)) - 1
    _look(shop, pair, shown[at])


def _look(shop: Workshop, pair: PairResult, one: Compared) -> None:
    try:
        pictures = side_by_side(shop, one)
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    colours = {"alike": "alike", **SPLIT}
    st.html(
        " &nbsp; ".join(
            f'<span style="color: rgb{COLOURS[kind]}">&#9632;</span> {said}' for kind, said in colours.items()
        )
    )
    for column, picture, seat in zip(st.columns(2), pictures, (pair.first, pair.second), strict=True):
        column.image(jpeg_bytes(picture), width="stretch", caption=_name(seat))


def _name(seat: SeatRow) -> str:
    return "agreed masks" if seat.person_id is None else seat.name or "?"


def _pair(result: PairResult) -> str:
    return f"{_name(result.first)} and {_name(result.second)}"


def _told(interval: Interval | None) -> str:
    return "nothing matched" if interval is None else f"{interval.mean:.0%} ({interval.low:.0%} to {interval.high:.0%})"


def _table(results: list[PairResult]) -> list[dict[str, Any]]:
    return [
        {
            "pair": _pair(one),
            "images": len(one.images),
            "matched": one.matched,
            "IoU (95 % interval)": _told(one.iou),
            "boundary IoU": _told(one.boundary_iou),
            "F1 at 0.5": f"{one.f1[THRESHOLDS[0]]:.0%}",
            "panoptic quality": f"{one.panoptic_quality:.0%}",
            **{said: one.split.get(kind, 0) for kind, said in SPLIT.items()},
        }
        for one in results
    ]


def _matrix(results: list[PairResult]) -> go.Figure:
    names = list(dict.fromkeys(_name(seat) for one in results for seat in (one.first, one.second)))
    values: list[list[float | None]] = [[None] * len(names) for _ in names]
    texts = [[""] * len(names) for _ in names]
    for one in results:
        row, column = names.index(_name(one.first)), names.index(_name(one.second))
        for a, b in ((row, column), (column, row)):
            values[a][b] = one.iou.mean if one.iou else None
            texts[a][b] = _told(one.iou).replace(" (", "<br>(")
    figure = go.Figure(
        go.Heatmap(
            x=names,
            y=names,
            z=values,
            text=texts,
            texttemplate="%{text}",
            zmin=0.5,
            zmax=1,
            colorscale="Tealgrn",
            showscale=False,
            hoverinfo="skip",
            xgap=3,
            ygap=3,
        )
    )
    figure.update_layout(height=280, margin={"l": 10, "r": 10, "t": 10, "b": 10})
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    figure.update_xaxes(showgrid=False, type="category")
    return figure


def _thresholds(results: list[PairResult]) -> go.Figure:
    figure = go.Figure()
    for one in results:
        figure.add_scatter(
            x=list(THRESHOLDS),
            y=[one.f1[limit] for limit in THRESHOLDS],
            name=_pair(one),
            mode="lines+markers",
            hovertemplate="%{y:.0%} at IoU %{x}",
        )
    figure.update_layout(
        height=280,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "least IoU", "dtick": 0.1},
        yaxis={"title": "F1", "range": [0, 1.05], "tickformat": ".0%"},
        legend={"orientation": "h", "y": 1.15},
    )
    return figure
