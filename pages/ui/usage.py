"""How versions do in use, one beside the other: seconds and prompts a mask, along the lineage."""

from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from core.model_report import VersionReport

LEAST_MASKS: Final = 5
"""Of fewer, a mean says more of chance than of a version."""
PAPER_SECONDS: Final = (34, 14)
"""A mask, before and after SAM's model was retrained on its annotators' masks (Kirillov et al., arXiv 2304.02643)."""


def show_usage(found: list[VersionReport]) -> None:
    """Show what a mask took with each version, oldest first, beside what it took SAM's annotators."""
    known = [one for one in reversed(found) if one.use is not None and one.use.assisted >= LEAST_MASKS]
    if not known:
        return
    with st.container(border=True):
        st.markdown(
            "**In use**",
            help="Active seconds and prompts a mask, and the share of masks that are the first candidate unchanged. "
            "The lines are what a mask took SAM's annotators before and after their model was retrained: "
            "other photos, other people.",
        )
        left, right = st.columns(2)
        left.plotly_chart(_seconds(known), key="use-seconds", config={"displayModeBar": False})
        right.plotly_chart(_prompts(known), key="use-prompts", config={"displayModeBar": False})


def _seconds(known: list[VersionReport]) -> go.Figure:
    figure = _along(known, "active", "active seconds a mask", "%{y:.1f} s")
    for seconds, said in zip(PAPER_SECONDS, ("SAM, at first", "SAM, retrained"), strict=True):
        figure.add_hline(
            seconds,
            line={"dash": "dot", "color": "gray", "width": 1},
            annotation={"text": f"{said}: {seconds} s", "font": {"color": "gray"}},
        )
    return figure


def _prompts(known: list[VersionReport]) -> go.Figure:
    figure = _along(known, "prompts", "prompts a mask", "%{y:.1f} prompts")
    figure.add_scatter(
        x=_names(known),
        y=[one.use.unchanged for one in known if one.use],
        name="first candidate unchanged",
        mode="lines+markers",
        yaxis="y2",
        hovertemplate="%{y:.0%} unchanged",
    )
    figure.update_layout(
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "range": [0, 1.05],
            "tickmode": "linear",
            "dtick": 0.25,
            "tickformat": ".0%",
            "showgrid": False,
        },
        legend={"orientation": "h", "y": 1.2},
        showlegend=True,
    )
    return figure


def _along(known: list[VersionReport], name: str, title: str, told: str) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(
        x=_names(known),
        y=[getattr(one.use, name) for one in known],
        name=title,
        mode="lines+markers",
        customdata=[one.use.assisted for one in known if one.use],
        hovertemplate=told + ", %{customdata:,} masks",
    )
    axis: dict[str, Any] = {"title": title, "rangemode": "tozero"}
    figure.update_layout(
        height=240,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"type": "category"},
        yaxis=axis,
        showlegend=False,
    )
    return figure


def _names(known: list[VersionReport]) -> list[str]:
    return [f"version {one.version.id}" for one in known]
