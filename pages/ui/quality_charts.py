"""Charts of what reviewers, checks and other annotators say of masks."""

import numpy as np
import plotly.graph_objects as go

from core.metric_quality import Quality
from core.metrics import Figures
from core.round_summaries import RoundSummary
from core.statistics import Interval
from pages.ui.chart import ACCENT, PALE, Chart, Rows, bars, chart


def measured(quality: Quality) -> Chart:
    """Draw how far masks were from their corrections."""
    names = ("above 95 %", "90 to 95 %", "below 90 %")
    counts = (quality.above95, quality.from90, quality.below90)
    rows = [{"IoU with its correction": name, "masks": count} for name, count in zip(names, counts, strict=True)]
    figure = bars(names, counts, yaxis={"title": "masks"})
    good = f"{told(quality.good)} have 90 % or more, in SA-1B 94 %. " if sum(counts) else ""
    definition = (
        "Reviewed masks by IoU with what their reviewer made of them; approved ones have 100 %, rejected and sent back "
        f"ones none. {good}A random sample only if given in audits."
    )
    return chart("measured", "IoU with corrections", definition, rows, sum(counts), figure, what="reviewed masks")


def told(share: Interval) -> str:
    """Return a share with its interval in words."""
    return f"{share.mean:.0%} (95 % interval {share.low:.0%} to {share.high:.0%})"


def calibration(quality: Quality) -> Chart:
    """Draw measured IoU over predicted IoU."""
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
    return chart("calibration", "Is predicted IoU true?", definition, rows, count, figure, what="reviewed masks")


def verdicts(quality: Quality) -> Chart:
    """Draw what reviewers said."""
    words = {"approve": "approved", "fix": "to fix", "send_back": "sent back", "reject": "rejected"}
    rows = [
        {"verdict": words.get(verdict, verdict), "masks": quality.verdicts[verdict]}
        for verdict in (*words, *sorted(set(quality.verdicts) - set(words)))
        if verdict in quality.verdicts
    ]
    figure = bars([row["verdict"] for row in rows], [row["masks"] for row in rows], yaxis={"title": "verdicts"})
    rating = f" Mean rating {quality.rating:.1f} of 10." if quality.rating is not None else ""
    definition = f"What reviewers said, by the day they said it.{rating}"
    return chart("verdicts", "Verdicts", definition, rows, sum(quality.verdicts.values()), figure, what="verdicts")


def flags(found: Figures) -> Chart:
    """Draw what checks said, and what was answered."""
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
    return chart("flags", "Flags", definition, rows, count, figure, what="flags", picks="flag")


def agreement(rounds: list[RoundSummary]) -> Chart:
    """Draw how far people agree, by round."""
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
    return chart("agreement", "Agreement", definition, rows, count, figure, what="masks in rounds")


def skips(quality: Quality) -> Chart:
    """Draw why objects were skipped."""
    words = {"timer": "time over", "hard": "too hard"}
    rows = [{"reason": words.get(reason, reason), "objects": count} for reason, count in sorted(quality.skips.items())]
    figure = bars([row["reason"] for row in rows], [row["objects"] for row in rows], yaxis={"title": "objects"})
    definition = (
        "Objects left to the hard queue, by reason, by the day they were skipped; a skip is of no model version."
    )
    return chart("skips", "Skipped", definition, rows, sum(quality.skips.values()), figure, what="skipped objects")
