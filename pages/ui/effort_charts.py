"""Charts of the time that masks take."""

from typing import Final

import plotly.graph_objects as go

from core.metrics import LEAST, TIMES, Effort, Figures
from pages.ui.chart import ACCENT, PALE, Chart, bars, chart

_TIME_COLOURS: Final = dict(zip(TIMES, ("#8a93a3", "#5b8def", "#f0a020", "#22c7ff"), strict=True))
PAPER_SPEED_UP: Final = 6.5
"""How much faster SAM's annotators were at last than COCO's, who outlined by hand (arXiv 2304.02643, section 4)."""


def bands(effort: Effort) -> Chart:
    """Draw masks by how long they took."""
    names = ("easy, below 10 s", "medium, 10 to 30 s", "complex, 30 s and more")
    counts = (effort.easy, effort.medium, effort.complex)
    rows = [{"effort": name, "masks": count} for name, count in zip(names, counts, strict=True)]
    definition = "Masks made with a model's help, by active time."
    figure = bars(names, counts, yaxis={"title": "masks"})
    return chart("bands", "Effort", definition, rows, sum(counts), figure, picks="seconds")


def times(key: str, title: str, of: dict[str, tuple[int, Effort]], *, picks: str) -> Chart:
    """Draw where the time of a mask goes, by what `of` is told apart by: name to (key, effort)."""
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
    return chart(key, title, definition, rows, count, figure, picks=picks)


def speed_up(found: Figures) -> Chart:
    """Draw how much faster masks are made with a model than by hand, with intervals."""
    said = found.speed_ups
    shown = {"all": said.overall} if said else {}
    if said and len(said.by_version) > 1:
        shown |= {version_name(key): one for key, one in said.by_version.items()}
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
    return chart(
        "speed-up", "Faster than by hand", definition, rows, count if said else min(count, 4), figure, what=what
    )


def version_name(version: int) -> str:
    """Return how a model version is told, 0 for none."""
    return f"version {version}" if version else "no model"
