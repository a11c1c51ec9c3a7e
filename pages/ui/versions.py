"""A model version as a card: where it comes from, its figures beside its parent's, how it does in use."""

from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from core import versions
from core.errors import FORESEEN
from core.model_report import VersionReport
from core.segmentation.catalogue import GRABCUT
from core.workshop import Workshop
from pages.ui.retraining import loss_curve
from pages.ui.text import plain

_ROWS: Final = (
    ("iou_at_1", "IoU after 1 click"),
    ("best3_at_1", "best of three after 1"),
    ("iou_at_3", "IoU after 3 clicks"),
    ("iou_at_5", "IoU after 5 clicks"),
    ("noc85", "clicks to IoU .85 (5 at most)"),
)
_ICONS: Final = {
    "better": ":material/trending_up:",
    "alike": ":material/trending_flat:",
    "worse": ":material/trending_down:",
}


def show_version(shop: Workshop, one: VersionReport) -> None:
    """Show a version, with what can be done with it."""
    version, detail = one.version, one.version.detail
    with st.container(border=True):
        row = st.container(horizontal=True, vertical_alignment="center")
        row.markdown(f"#### Version {version.id}")
        if one.answers:
            row.badge("answers now", icon=":material/check:", color="green")
        row.caption(_origin(one))
        row.space("stretch")
        _actions(row, shop, one)
        verdict = detail.get("verdict")
        if verdict:
            st.markdown(f"{_ICONS[verdict['kind']]} **{verdict['kind'].capitalize()}**: {plain(verdict['reason'])}.")
        if detail.get("saving"):
            st.markdown(_saving(detail["saving"]))
        st.markdown(_use(one))
        if detail.get("holdout"):
            with st.expander("Figures", icon=":material/table_chart:"):
                _figures(version.id, detail)


def _actions(row: Any, shop: Workshop, one: VersionReport) -> None:
    if one.version.name != GRABCUT:
        row.download_button(
            "ONNX",
            lambda: _onnx(shop, one),
            file_name=f"{one.version.name}-{one.version.id}.onnx",
            icon=":material/download:",
            key=f"onnx-{one.version.id}",
            help="Prompt encoder and mask decoder, for programs without torch.",
        )
    if one.answers:
        back = one.version.parent_id is not None
        if back and row.button("Roll back", icon=":material/undo:", key="roll-back"):
            _do(lambda: versions.roll_back(shop))
        return
    if not one.version.detail.get("head"):
        return
    worse = (one.version.detail.get("verdict") or {}).get("kind") == "worse"
    said = "It was measured to be worse than the version it was made of." if worse else None
    if row.button("Promote", icon=":material/upgrade:", key=f"promote-{one.version.id}", disabled=worse, help=said):
        _do(lambda: versions.promote(shop, one.version.id))


def _onnx(shop: Workshop, one: VersionReport) -> bytes:
    from core.segmentation.onnx_export import export_onnx  # torch takes seconds to load

    return export_onnx(versions.loaded(shop, one.version)).data


def _do(action: Any) -> None:
    try:
        action()
    except FORESEEN as error:
        st.error(plain(str(error)), icon=":material/error:")
    else:
        st.rerun()


def _origin(one: VersionReport) -> str:
    version, trained = one.version, one.version.detail.get("trained")
    when = f"{version.created_at:%Y-%m-%d %H:%M} UTC"
    title = plain(version.detail.get("title", version.name))
    if not trained:
        return f"{title}, as it came; first used {when}"
    older = f" and {trained['older']} older" if trained["older"] else ""
    return f"of version {version.parent_id}, {when}; learned from {trained['masks']} new{older} masks"


def _use(one: VersionReport) -> str:
    if one.use is None:
        return "In use: no mask yet."
    masks = "1 mask" if one.use.assisted == 1 else f"{one.use.assisted:,} masks"
    return (
        f"In use: {masks}, {one.use.prompts:.1f} prompts and {one.use.active:.1f} s each; "
        f"{one.use.unchanged:.0%} were the first candidate unchanged."
    )


def _saving(saving: dict[str, Any]) -> str:
    clicks, seconds = saving["clicks"], saving["seconds"]
    return (
        f"Replaying the prompts of {saving['objects']} kept masks, it would save {clicks['mean']:.2f} prompts a mask "
        f"({clicks['low']:.2f} to {clicks['high']:.2f}) and {seconds['mean']:.1f} s "
        f"({seconds['low']:.1f} to {seconds['high']:.1f})."
    )


def _figures(version_id: int, detail: dict[str, Any]) -> None:
    holdout, forgetting = detail["holdout"], detail["forgetting"]
    st.caption(
        f"Beside the version it was made of, on {holdout['objects']} masks of {holdout['images']} kept images that "
        f"neither learned from, and on {forgetting['objects']} made scenes. In brackets: 95 % intervals."
    )
    st.dataframe([_row(name, title, holdout, forgetting) for name, title in _ROWS], hide_index=True)
    left, right = st.columns(2)
    left.markdown("Predicted and actual IoU on kept images")
    left.plotly_chart(_calibration(holdout), key=f"calibration-{version_id}", config={"displayModeBar": False})
    right.markdown("Learning")
    history = detail["trained"]["history"]
    right.plotly_chart(loss_curve(history), key=f"loss-{version_id}", config={"displayModeBar": False})


def _row(name: str, title: str, holdout: dict[str, Any], forgetting: dict[str, Any]) -> dict[str, str]:
    low, high = holdout["champion"]["intervals"][name], holdout["challenger"]["intervals"][name]
    change = holdout["differences"][name]
    kept = forgetting["differences"][name]["mean"]
    return {
        "": title,
        "before": f"{holdout['champion']['values'][name]:.3f} ({low[0]:.3f} to {low[1]:.3f})",
        "this version": f"{holdout['challenger']['values'][name]:.3f} ({high[0]:.3f} to {high[1]:.3f})",
        "change": f"{change['mean']:+.3f} ({change['low']:+.3f} to {change['high']:+.3f})",
        "change on made scenes": f"{kept:+.3f}",
    }


def _calibration(holdout: dict[str, Any]) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="right", line={"dash": "dot", "color": "gray"})
    for side, title in (("champion", "before"), ("challenger", "this version")):
        bins = [one for one in holdout[side]["reliability"] if one["count"]]
        figure.add_scatter(
            x=[one["predicted"] for one in bins],
            y=[one["actual"] for one in bins],
            name=title,
            mode="lines+markers",
            customdata=[one["count"] for one in bins],
            hovertemplate="predicted %{x:.2f}, actual %{y:.2f}, %{customdata} candidates",
        )
    figure.update_layout(
        height=240,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.15},
        xaxis={"title": "predicted IoU", "range": [0, 1]},
        yaxis={"title": "actual IoU", "range": [0, 1]},
    )
    return figure
