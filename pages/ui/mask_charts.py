"""Charts of how many masks there are, how large, of what shape and where."""

from typing import Final

import numpy as np
import plotly.graph_objects as go

from core.metrics import Figures
from pages.ui.chart import ACCENT, PALE, Chart, bars, chart, histogram

_DAY_MS: Final = 86_400_000
PAPER_SHARES: Final = (0.30, 0.45, 0.25)
"""SA-1B's masks below 1 %, from 1 to 10 %, and from 10 % of the image on, as read off figure 6 of its paper."""


def days(found: Figures) -> Chart:
    """Draw how many masks were accepted a day."""
    rows = [{"day": f"{day:%Y-%m-%d}", "masks": count} for day, count in found.days.items() if count]
    figure = bars(
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
    return chart("days", "Masks a day", definition, rows, found.effort.masks, figure, picks="day")


def per_image(found: Figures) -> Chart:
    """Draw images by how many masks they have."""
    counts = sorted(found.per_image.items())
    rows = [{"masks": masks, "images": images} for masks, images in counts]
    mean, median, most = spread(found.per_image)
    figure = bars(
        [masks for masks, _ in counts],
        [images for _, images in counts],
        xaxis={"title": "masks on the image", "rangemode": "tozero", "dtick": 1 if most < 12 else None},
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
    return chart("per-image", "Masks an image", definition, rows, sum(found.per_image.values()), figure, what="images")


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


def shares(found: Figures) -> Chart:
    """Draw masks by their share of the image, beside SA-1B's."""
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
    return chart("shares", "Size: share of the image", definition, rows, total, figure, picks="share")


def sizes(found: Figures) -> Chart:
    """Draw masks by size, as SA-1B's paper does."""
    definition = "Masks by the square root of their share of the image, the size that SA-1B's paper draws."
    return histogram(
        "sizes", "Size, as in SA-1B's paper", definition, found.sizes, "√(area / image area)", picks="size"
    )


def predicted(found: Figures) -> Chart:
    """Draw what the model expected of accepted candidates."""
    definition = "What the model expected of the candidates that were accepted; no measurement."
    return histogram("predicted", "Predicted IoU", definition, found.predicted, "predicted IoU", picks="predicted")


def concavity(found: Figures) -> Chart:
    """Draw how far masks are from convex."""
    definition = "1 - area / area of the convex hull; kept since this version, so older masks are missing."
    return histogram("concavity", "Concavity", definition, found.concavity, "concavity", picks="concavity")


def where(found: Figures) -> Chart:
    """Draw where in their image masks are."""
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
    return chart("centres", "Centres", definition, rows, int(found.centres.sum()), figure)
