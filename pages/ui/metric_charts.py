"""The charts of the Metrics page: each a title, a sentence that defines it, a figure, and the numbers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from core.metric_quality import Quality
from core.metrics import LEAST, TIMES, Effort, Figures
from core.round_summaries import RoundSummary
from core.statistics import Interval

Rows = list[dict[str, Any]]
HEIGHT: Final = 250
_DAY_MS: Final = 86_400_000
ACCENT: Final = "#f0a020"
PALE: Final = "#8a93a3"
_TIME_COLOURS: Final = dict(zip(TIMES, ("#8a93a3", "#5b8def", "#f0a020", "#22c7ff"), strict=True))
PAPER_SPEED_UP: Final = 6.5
"""How much faster SAM's annotators were at last than COCO's, who outlined by hand (arXiv 2304.02643, section 4)."""
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


def charts(found: Figures, quality: Quality, rounds: list[RoundSummary], people: dict[int, str]) -> list[Chart]:
    """Return all charts, in the order of the page."""
    weeks = {f"{day:%Y-%m-%d}": (day.toordinal(), one) for day, one in found.by_week.items()}
    versions = {_version(one): (one, of) for one, of in found.by_version.items()}
    annotators = {people.get(one, "?"): (one, of) for one, of in found.by_person.items()}
    return [
        _days(found),
        _per_image(found),
        _shares(found),
        _sizes(found),
        _measured(quality),
        _calibration(quality),
        _verdicts(quality),
        _flags(found),
        _agreement(rounds),
        _predicted(found),
        _where(found),
        _concavity(found),
        _bands(found.effort),
        _times("weeks", "Time a mask, by week", weeks, picks="week"),
        _times("versions", "Time a mask, by model version", versions, picks="version"),
        _times("people", "Time a mask, by annotator", annotators, picks="person"),
        _speed_up(found),
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
    return _histogram("concavity", "Concavity", definition, found.concavity, "concavity", picks="concavity")


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
    figure = _bars(names, counts, yaxis={"title": "masks"})
    return _chart("bands", "Effort", definition, rows, sum(counts), figure, picks="seconds")


def _times(key: str, title: str, of: dict[str, tuple[int, Effort]], *, picks: str) -> Chart:
    shown = {name: one for name, (_, one) in of.items() if one.assisted}
    keys = [of[name][0] for name in shown]
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
            customdata=[[one.assisted, key] for key, one in zip(keys, shown.values(), strict=True)],
            hovertemplate=kind + " %{y:.1f} s, %{customdata[0]:,} masks<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        xaxis={"type": "category"},
        yaxis={"title": "active seconds a mask"},
        legend={"orientation": "h", "y": 1.15},
    )
    definition = "Mean active seconds of a mask made with a model's help, by what they went into."
    count = sum(one.assisted for one in shown.values())
    return _chart(key, title, definition, rows, count, figure, picks=picks)


def _speed_up(found: Figures) -> Chart:
    said = found.speed_ups
    shown = {"all": said.overall} if said else {}
    if said and len(said.by_version) > 1:
        shown |= {_version(key): one for key, one in said.by_version.items()}
    rows = [
        {"of": name, "times faster": round(one.mean, 2), "low": round(one.low, 2), "high": round(one.high, 2)}
        for name, one in shown.items()
    ]
    figure = go.Figure()
    figure.add_scatter(
        x=[one.mean for one in shown.values()],
        y=list(shown),
        error_x={
            "array": [one.high - one.mean for one in shown.values()],
            "arrayminus": [one.mean - one.low for one in shown.values()],
        },
        mode="markers",
        marker={"color": ACCENT, "size": 10},
        hovertemplate="%{y}: %{x:.1f}x<extra></extra>",
    )
    figure.add_vline(
        PAPER_SPEED_UP,
        line={"dash": "dot", "color": PALE},
        annotation={"text": f"SAM's paper {PAPER_SPEED_UP}", "font": {"color": PALE}, "showarrow": False},
        annotation_position="top",
    )
    figure.update_layout(
        xaxis={"title": "times faster than by hand", "rangemode": "tozero"},
        yaxis={"type": "category", "autorange": "reversed"},
    )
    which = "objects that chance assigned to either" if said and said.by_chance else "all masks, not assigned by chance"
    counts = f" Of {said.by_hand:,} and {said.assisted:,} masks: {which}." if said else ""
    definition = f"Mean active time of outlines by hand over that of masks made with a model's help.{counts}"
    effort = found.effort
    what = "outlines by hand" if effort.by_hand < LEAST else "masks with a model's help"
    count = min(said.by_hand, said.assisted) if said else min(effort.by_hand, effort.assisted)
    return _chart(
        "speed-up", "Faster than by hand", definition, rows, count if said else min(count, 4), figure, what=what
    )


def _verdicts(quality: Quality) -> Chart:
    words = {"approve": "approved", "fix": "to fix", "send_back": "sent back", "reject": "rejected"}
    rows = [
        {"verdict": words.get(verdict, verdict), "masks": quality.verdicts[verdict]}
        for verdict in (*words, *sorted(set(quality.verdicts) - set(words)))
        if verdict in quality.verdicts
    ]
    figure = _bars([row["verdict"] for row in rows], [row["masks"] for row in rows], yaxis={"title": "verdicts"})
    rating = f" Mean rating {quality.rating:.1f} of 10." if quality.rating is not None else ""
    definition = f"What reviewers said, by the day they said it.{rating}"
    return _chart("verdicts", "Verdicts", definition, rows, sum(quality.verdicts.values()), figure, what="verdicts")


def _flags(found: Figures) -> Chart:
    most_first = sorted(found.flags.items(), key=lambda item: -sum(item[1]))
    rows = [{"flag": name, "open": said[0], "fixed": said[1], "kept": said[2]} for name, said in most_first]
    figure = go.Figure()
    for answer, colour in (("open", ACCENT), ("fixed", "#22c7ff"), ("kept", PALE)):
        figure.add_bar(
            x=[row["flag"] for row in rows],
            y=[row[answer] for row in rows],
            name=answer,
            marker_color=colour,
            customdata=[row["flag"] for row in rows],
            hovertemplate="%{x}, " + answer + ": %{y:,}<extra></extra>",
        )
    figure.update_layout(barmode="stack", yaxis={"title": "flags"}, legend={"orientation": "h", "y": 1.15})
    definition = (
        "What automatic checks said of the masks that stand, and what annotators answered: mended it, or kept the mask."
    )
    count = sum(sum(said) for said in found.flags.values())
    return _chart("flags", "Flags", definition, rows, count, figure, what="flags", picks="flag")


def _agreement(rounds: list[RoundSummary]) -> Chart:
    rows: Rows = []
    figure = go.Figure()
    for name, colour in (("F1 at IoU 0.5", ACCENT), ("IoU of matched masks", "#5b8def")):
        means, above, below = [], [], []
        for one in rounds:
            values = [pair.f1 if name.startswith("F1") else pair.iou or 0.0 for pair in one.pairs]
            weights = [pair.masks for pair in one.pairs]
            mean = float(np.average(values, weights=weights)) if sum(weights) else 0.0
            means.append(mean)
            above.append(max(values) - mean)
            below.append(mean - min(values))
            rows.append({"round": one.name, "figure": name, "mean": mean, "least": min(values), "most": max(values)})
        figure.add_bar(
            x=[one.name for one in rounds],
            y=means,
            name=name,
            marker_color=colour,
            error_y={"array": above, "arrayminus": below, "color": PALE},
            hovertemplate="%{x}: %{y:.0%}",
        )
    figure.update_layout(
        yaxis={"tickformat": ".0%", "range": [0, 1.05]},
        xaxis={"type": "category"},
        legend={"orientation": "h", "y": 1.15},
    )
    definition = (
        "How far people agree on the same images, by round: mean over pairs of people, weighted by their masks; "
        "the whiskers reach from the pair that agrees least to the one that agrees most. No version has a part in it."
    )
    count = sum(pair.masks for one in rounds for pair in one.pairs)
    return _chart("agreement", "Agreement", definition, rows, count, figure, what="masks in rounds")


def _skips(quality: Quality) -> Chart:
    words = {"timer": "time over", "hard": "too hard"}
    rows = [{"reason": words.get(reason, reason), "objects": count} for reason, count in sorted(quality.skips.items())]
    figure = _bars([row["reason"] for row in rows], [row["objects"] for row in rows], yaxis={"title": "objects"})
    definition = (
        "Objects left to the hard queue, by reason, by the day they were skipped; a skip is of no model version."
    )
    return _chart("skips", "Skipped", definition, rows, sum(quality.skips.values()), figure, what="skipped objects")
