"""The charts of the Metrics page: each a title, a sentence that defines it, a figure, and the numbers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from core.metric_quality import Quality
from core.metrics import LEAST, TIMES, Effort, Figures
from core.statistics import Interval

Rows = list[dict[str, Any]]
HEIGHT: Final = 250
_DAY_MS: Final = 86_400_000
ACCENT: Final = "#f0a020"
PALE: Final = "#8a93a3"
_TIME_COLOURS: Final = dict(zip(TIMES, ("#8a93a3", "#5b8def", "#f0a020", "#22c7ff"), strict=True))
PAPER_SHARES: Final = (0.30, 0.45, 0.25)
"""SA-1B's masks below 1 %, from 1 to 10 %, and from 10 % of the image on, as read off figure 6 of its paper."""


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


def charts(found: Figures, quality: Quality, people: dict[int, str]) -> list[Chart]:
    """Return all charts, in the order of the page."""
    return [
        _days(found),
        _per_image(found),
        _shares(found),
        _sizes(found),
        _measured(quality),
        _calibration(quality),
        _predicted(found),
        _where(found),
        _concavity(found),
        _bands(found.effort),
        _times("weeks", "Time a mask, by week", {f"{day:%Y-%m-%d}": one for day, one in found.by_week.items()}),
        _times(
            "versions", "Time a mask, by model version", {_version(one): of for one, of in found.by_version.items()}
        ),
        _times(
            "people", "Time a mask, by annotator", {people.get(one, "?"): of for one, of in found.by_person.items()}
        ),
        _skips(quality),
    ]


def _version(version: int) -> str:
    return f"version {version}" if version else "no model"


def _few(count: int, what: str = "masks") -> str:
    return f"Fewer than {LEAST} {what} so far: too few to draw." if count else f"No {what} yet."


def _chart(
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
    if count < LEAST:
        return Chart(key, title, definition, None, rows, _few(count, what))
    figure.update_layout(
        height=HEIGHT, margin={"l": 10, "r": 10, "t": 20, "b": 10}, bargap=0.08, clickmode="event+select"
    )
    return Chart(key, title, definition, figure, rows, picks=picks)


def _bars(x: Sequence[Any], y: Sequence[Any], **layout: Any) -> go.Figure:
    figure = go.Figure(go.Bar(x=list(x), y=list(y), marker_color=ACCENT, hovertemplate="%{x}: %{y:,}<extra></extra>"))
    figure.update_layout(showlegend=False, **layout)
    return figure


def _days(found: Figures) -> Chart:
    rows = [{"day": f"{day:%Y-%m-%d}", "masks": count} for day, count in found.days.items() if count]
    figure = _bars(
        [row["day"] for row in rows],
        [row["masks"] for row in rows],
        xaxis={"type": "date", "tickformat": "%b %d", "dtick": _DAY_MS if len(rows) < 8 else None},
        yaxis={"title": "masks"},
    )
    figure.update_traces(width=0.8 * _DAY_MS)
    if rows:
        first, last = (np.datetime64(rows[place]["day"]) for place in (0, -1))
        figure.update_xaxes(range=[str(first - np.timedelta64(3, "D")), str(last + np.timedelta64(3, "D"))])
    definition = "Accepted masks that still stand, by the day (UTC) on which they were accepted."
    return _chart("days", "Masks a day", definition, rows, found.effort.masks, figure, picks="day")


def _per_image(found: Figures) -> Chart:
    counts = sorted(found.per_image.items())
    rows = [{"masks": masks, "images": images} for masks, images in counts]
    mean, median, most = spread(found.per_image)
    figure = _bars(
        [masks for masks, _ in counts],
        [images for _, images in counts],
        xaxis={"title": "masks on the image", "rangemode": "tozero"},
        yaxis={"title": "images"},
    )
    figure.update_traces(width=0.9)
    figure.add_vline(
        mean,
        line={"dash": "dot", "color": PALE},
        annotation={"text": f"mean {mean:.1f}", "font": {"color": PALE}, "yanchor": "bottom", "showarrow": False},
        annotation_position="top",
    )
    definition = (
        f"Images by how many masks stand on them, whatever was chosen above: mean {mean:.1f}, median {median:g}, "
        f"at most {most}. SAM's annotators had 36 a photo in the first stage, SA-1B has about 100."
    )
    return _chart("per-image", "Masks an image", definition, rows, sum(found.per_image.values()), figure, what="images")


def spread(counts: dict[int, int]) -> tuple[float, float, int]:
    """Return mean, median and greatest of numbers that are given as a count of each.

    Examples
    --------
    >>> spread({0: 1, 2: 2, 5: 1})
    (2.25, 2.0, 5)
    """
    if not counts:
        return 0.0, 0.0, 0
    values = np.array(sorted(counts))
    ends = np.cumsum([counts[int(value)] for value in values])
    total = int(ends[-1])
    middle = [values[np.searchsorted(ends, place, side="right")] for place in ((total - 1) // 2, total // 2)]
    return float(values @ np.diff([0, *ends]) / total), float(np.mean(middle)), int(values[-1])


def _shares(found: Figures) -> Chart:
    total = sum(found.shares)
    names = ("below 1 %", "1 to 10 %", "above 10 %")
    rows = [
        {"share of the image": name, "masks": count, "share": count / total if total else 0.0, "SA-1B": paper}
        for name, count, paper in zip(names, found.shares, PAPER_SHARES, strict=True)
    ]
    figure = go.Figure()
    figure.add_bar(x=names, y=[row["share"] for row in rows], name="here", marker_color=ACCENT)
    figure.add_bar(x=names, y=PAPER_SHARES, name="SA-1B", marker_color=PALE)
    figure.update_layout(yaxis={"tickformat": ".0%"}, legend={"orientation": "h", "y": 1.15})
    figure.update_traces(hovertemplate="%{y:.0%}")
    definition = "Masks by the share of the image that they cover, beside SA-1B's 30, 45 and 25 %."
    return _chart("shares", "Size: share of the image", definition, rows, total, figure, picks="share")


def _histogram(key: str, title: str, definition: str, counts: Any, axis: str, *, picks: str = "") -> Chart:
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
    return _chart(key, title, definition, rows, int(counts.sum()), figure, picks=picks)


def _sizes(found: Figures) -> Chart:
    definition = "Masks by the square root of their share of the image, the size that SA-1B's paper draws."
    return _histogram(
        "sizes", "Size, as in SA-1B's paper", definition, found.sizes, "√(area / image area)", picks="size"
    )


def _predicted(found: Figures) -> Chart:
    definition = "What the model expected of the candidates that were accepted; no measurement."
    return _histogram("predicted", "Predicted IoU", definition, found.predicted, "predicted IoU", picks="predicted")


def _concavity(found: Figures) -> Chart:
    definition = "1 - area / area of the convex hull; kept since this version, so older masks are missing."
    return _histogram("concavity", "Concavity", definition, found.concavity, "concavity")


def _where(found: Figures) -> Chart:
    side = len(found.centres)
    rows = [{"column": x, "row": y, "masks": int(found.centres[y, x])} for y in range(side) for x in range(side)]
    figure = go.Figure(
        go.Heatmap(
            z=found.centres,
            colorscale="Oranges",
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="%{z:,} masks<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", showticklabels=False, showgrid=False)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    definition = "Where in their image the centres of the masks' boxes lie, on a grid of twelve by twelve."
    return _chart("centres", "Centres", definition, rows, int(found.centres.sum()), figure)


def _measured(quality: Quality) -> Chart:
    names = ("above 95 %", "90 to 95 %", "below 90 %")
    counts = (quality.above95, quality.from90, quality.below90)
    rows = [{"IoU with its correction": name, "masks": count} for name, count in zip(names, counts, strict=True)]
    figure = _bars(names, counts, yaxis={"title": "masks"})
    good = f"{told(quality.good)} have 90 % or more, in SA-1B 94 %. " if sum(counts) else ""
    definition = (
        "Reviewed masks by IoU with what their reviewer made of them; approved ones have 100 %, rejected and sent back "
        f"ones none. {good}A random sample only if given in audits."
    )
    return _chart("measured", "IoU with corrections", definition, rows, sum(counts), figure, what="reviewed masks")


def told(share: Interval) -> str:
    """Return a share with its interval in words."""
    return f"{share.mean:.0%} (95 % interval {share.low:.0%} to {share.high:.0%})"


def _calibration(quality: Quality) -> Chart:
    rows = [
        {"predicted": round(one.predicted, 3), "measured": round(one.measured, 3), "masks": one.count}
        for one in quality.reliability
    ]
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": PALE}, hoverinfo="skip")
    figure.add_scatter(
        x=[row["predicted"] for row in rows],
        y=[row["measured"] for row in rows],
        customdata=[row["masks"] for row in rows],
        mode="lines+markers",
        marker_color=ACCENT,
        hovertemplate="predicted %{x:.2f}, measured %{y:.2f}, %{customdata} masks<extra></extra>",
    )
    figure.update_layout(
        showlegend=False,
        xaxis={"title": "predicted IoU", "range": [0, 1.02]},
        yaxis={"title": "measured IoU", "range": [0, 1.02]},
    )
    definition = "Reviewed masks that were not painted on: mean IoU with their correction, by predicted IoU in tenths."
    count = sum(one.count for one in quality.reliability)
    return _chart("calibration", "Is predicted IoU true?", definition, rows, count, figure, what="reviewed masks")


def _bands(effort: Effort) -> Chart:
    names = ("easy, below 10 s", "medium, 10 to 30 s", "complex, 30 s and more")
    counts = (effort.easy, effort.medium, effort.complex)
    rows = [{"effort": name, "masks": count} for name, count in zip(names, counts, strict=True)]
    definition = "Masks made with a model's help, by active time."
    return _chart("bands", "Effort", definition, rows, sum(counts), _bars(names, counts, yaxis={"title": "masks"}))


def _times(key: str, title: str, of: dict[str, Effort]) -> Chart:
    shown = {name: one for name, one in of.items() if one.assisted}
    rows = [
        {
            "of": name,
            "masks": one.masks,
            "by hand": one.by_hand,
            **{f"{kind}, s": round(one.seconds[kind], 2) for kind in TIMES},
            "median, s": one.median,
            "prompts": round(one.prompts, 2),
            "first unchanged": round(one.unchanged, 3),
            "edited": round(one.edited, 3),
        }
        for name, one in shown.items()
    ]
    figure = go.Figure()
    for kind in TIMES:
        figure.add_bar(
            x=list(shown),
            y=[one.seconds[kind] for one in shown.values()],
            name=kind,
            marker_color=_TIME_COLOURS[kind],
            customdata=[one.assisted for one in shown.values()],
            hovertemplate=kind + " %{y:.1f} s, %{customdata:,} masks<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        xaxis={"type": "category"},
        yaxis={"title": "active seconds a mask"},
        legend={"orientation": "h", "y": 1.15},
    )
    definition = "Mean active seconds of a mask made with a model's help, by what they went into."
    return _chart(key, title, definition, rows, sum(one.assisted for one in shown.values()), figure)


def _skips(quality: Quality) -> Chart:
    words = {"timer": "time over", "hard": "too hard"}
    rows = [{"reason": words.get(reason, reason), "objects": count} for reason, count in sorted(quality.skips.items())]
    figure = _bars([row["reason"] for row in rows], [row["objects"] for row in rows], yaxis={"title": "objects"})
    definition = "Objects left to the hard queue, by reason; of everybody's, by the day they were skipped."
    return _chart("skips", "Skipped", definition, rows, sum(quality.skips.values()), figure, what="skipped objects")
