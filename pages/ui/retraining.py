"""Beginning a retraining, and watching it: its stage, its loss, how it ended."""

import plotly.graph_objects as go
import streamlit as st

from core import jobs
from core.errors import FORESEEN
from core.workshop import Workshop
from pages.ui.text import plain
from storage.rows import JobRow

POLL = "2s"


def show_retraining(shop: Workshop, job: JobRow | None) -> None:
    """Show the newest retraining, and a button that begins one if none is at work."""
    if job is not None and job.is_open:
        _watch(shop, job.id)
        return
    box = st.container(border=True)
    row = box.container(horizontal=True, vertical_alignment="center")
    row.markdown("Learn from the masks accepted since the last round, and measure what comes of it.")
    row.space("stretch")
    if row.button("Retrain", icon=":material/model_training:", type="primary"):
        try:
            jobs.begin(shop)
        except FORESEEN as error:
            box.error(plain(str(error)), icon=":material/error:")
        else:
            st.rerun()
    if job is not None:
        _say_how_it_ended(box, job)


def _say_how_it_ended(box: "st.delta_generator.DeltaGenerator", job: JobRow) -> None:
    ended = f"{job.ended_at:%Y-%m-%d %H:%M} UTC" if job.ended_at else ""
    if job.state == "done":
        box.caption(f"The last one ended {ended}: {plain(job.message or '')}.")
    elif job.state == "failed":
        box.error(f"The last one failed: {plain(job.message or '')}.", icon=":material/error:")
    else:
        box.caption(f"The last one was cancelled {ended}; nothing of it was kept.")


@st.fragment(run_every=POLL)
def _watch(shop: Workshop, job_id: int) -> None:
    """Show how far a retraining is, again and again, until it has ended; let a killed one go on."""
    jobs.take_up(shop)
    job = jobs.newest(shop)
    if job is None or job.id != job_id or not job.is_open:
        st.rerun()
        return
    box = st.container(border=True)
    stage = str(job.progress.get("stage", "Waiting for its process"))
    share = float(job.progress.get("share", 0))
    row = box.container(horizontal=True, vertical_alignment="center")
    row.progress(share, f"{stage}, {share:.0%}", width="stretch")
    if job.cancel_asked:
        row.caption("Ending…")
    elif row.button("Cancel", icon=":material/cancel:"):
        jobs.cancel(shop, job.id)
        st.rerun(scope="fragment")
    history = job.progress.get("history", [])
    if history:
        box.plotly_chart(loss_curve(history), key="loss-now", config={"displayModeBar": False})


def loss_curve(history: list[dict[str, float]]) -> go.Figure:
    """Return the loss and the first answer's IoU of each epoch."""
    epochs = [epoch["number"] for epoch in history]
    figure = go.Figure()
    figure.add_scatter(x=epochs, y=[epoch["loss"] for epoch in history], name="loss", mode="lines+markers")
    figure.add_scatter(
        x=epochs,
        y=[epoch["first_iou"] for epoch in history],
        name="IoU of the first answer",
        yaxis="y2",
        mode="lines+markers",
    )
    figure.update_layout(
        height=220,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.15},
        xaxis={"title": "epoch", "dtick": 1},
        yaxis={"title": "loss", "rangemode": "tozero"},
        yaxis2={
            "title": "IoU",
            "overlaying": "y",
            "side": "right",
            "range": [0, 1],
            "tickmode": "linear",
            "dtick": 0.25,
            "showgrid": False,
        },
    )
    return figure
