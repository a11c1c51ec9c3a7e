"""Coverage: how much of the library is surveyed, what is left, and whether its masks are spread evenly."""

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go
import streamlit as st

from core import balancing, jobs, mending
from core.balancing import BalanceReport, Cluster, Group
from core.errors import FORESEEN
from core.projects import settings
from core.quality.balance import FEWEST, Share
from core.roles import may
from core.workshop import Workshop
from pages.ui.batches import show_batches
from pages.ui.text import plain
from pages.ui.watching import show_job
from storage.rows import JobRow, SurveyTotals

POLL: Final = "2s"
_BANDS: Final = ("Small, below 1 %", "Middling, 1 to 10 %", "Large, above 10 %")
_COLOURS: Final = {"over": "blue", "under": "orange", "even": "gray"}
_ROWS: Final = ("top", "middle", "bottom")
_COLUMNS: Final = ("left", "middle", "right")


def show_coverage(shop: Workshop) -> None:
    """Show what surveys say of the library, and buttons that survey more and order anew."""
    job = jobs.newest(shop, jobs.COVERAGE)
    found = balancing.totals(shop)
    if not found.images:
        st.info("The library is empty. Import photos to begin.", icon=":material/add_photo_alternate:")
        return
    _show_totals(found)
    if job is not None and job.is_open:
        _watch(shop, job.id)
    else:
        _offer(shop, found, job)
    show_batches(shop)
    report = balancing.newest(shop)
    if report is None or not found.surveyed:
        st.info("Nothing is surveyed yet, so nothing can be said about balance.", icon=":material/balance:")
        return
    _show_clusters(shop, report)
    left, right = st.columns(2, gap="large")
    with left:
        _show_bands(report.bands)
    with right:
        _show_places(report.places)


def _show_totals(found: SurveyTotals) -> None:
    row = st.container(horizontal=True, gap="large")
    row.metric("Images surveyed", f"{found.surveyed:,} of {found.images:,}", width="content")
    row.metric("Objects left", f"~{found.left_over:,}" if found.surveyed else "unknown", width="content")
    stale = found.surveyed - found.fresh
    said = (
        "The model's guess, not a count: it overlooks objects, small and touching ones most of all, and some of what "
        "it proposes is none. On crowded micrographs the starter found 27 % of the objects, and 66 % of its proposals "
        "were right."
    )
    if stale:
        said += f" On {stale:,} images the masks have changed since their survey."
    st.caption(said)


def _offer(shop: Workshop, found: SurveyTotals, job: JobRow | None) -> None:
    box = st.container(border=True)
    row = box.container(horizontal=True, vertical_alignment="center")
    open_images = found.images - found.fresh
    row.markdown(
        "Ask the model what is on the images that have no survey, or whose masks have changed."
        if open_images
        else "Every image is surveyed, and no mask has changed since.",
        width="stretch",
    )
    row.button(
        "Order anew",
        icon=":material/sort:",
        on_click=_arrange,
        args=(shop,),
        disabled=not (found.surveyed and may(shop, "models")),
    )
    row.button(
        "Survey",
        icon=":material/travel_explore:",
        type="primary",
        on_click=_begin,
        args=(shop,),
        disabled=not may(shop, "models"),
    )
    order = settings(shop).next_order
    box.caption(f"The workbench's order: {order}. The page Settings changes it.")
    if trouble := st.session_state.pop("coverage-trouble", None):
        box.error(plain(trouble), icon=":material/error:")
    if job is not None and job.state == "failed":
        box.error(f"The last survey failed: {plain(job.message or '')}", icon=":material/error:")
    elif job is not None and job.state == "cancelled":
        box.caption("The last survey was cancelled; the images it had done are kept.")
    elif job is not None:
        box.caption(f"The last one: {plain(job.message or '')}")


def _begin(shop: Workshop) -> None:
    try:
        jobs.begin_survey(shop)
    except FORESEEN as error:
        st.session_state["coverage-trouble"] = str(error)


def _arrange(shop: Workshop) -> None:
    try:
        balancing.arrange(shop)
    except FORESEEN as error:
        st.session_state["coverage-trouble"] = str(error)


@st.fragment(run_every=POLL)
def _watch(shop: Workshop, job_id: int) -> None:
    """Show how far a survey is, again and again, until it has ended; let a killed one go on."""
    show_job(shop, jobs.COVERAGE, job_id, st.container(border=True), "images")


def _show_clusters(shop: Workshop, report: BalanceReport) -> None:
    st.subheader("Images that look alike")
    if not report.clusters:
        st.info("The surveys hold no features to compare images by.", icon=":material/balance:")
        return
    total = sum(cluster.images for cluster in report.clusters)
    if len(report.clusters) == 1:
        st.caption(
            f"{total} images are too few to divide; from {FEWEST} on they are put into groups that look alike."
            if total < FEWEST
            else "All images look alike to the model."
        )
        return
    st.caption(
        "Groups by what the model's encoder sees. A group should have the share of the annotated images that it has "
        f"of all. As of {report.made_at:%Y-%m-%d %H:%M} UTC."
    )
    grid = st.grid("auto", min_column_width=300, gap="small", key="clusters")
    for cluster in report.clusters:
        with grid.cell().container(border=True, gap="xsmall"):
            _cluster(shop, cluster)


def _cluster(shop: Workshop, cluster: Cluster) -> None:
    row = st.container(horizontal=True, gap="xsmall")
    for image in balancing.samples(shop, cluster.number):
        try:
            row.image(mending.thumbnail(shop, image), width=64, alt=image.name)
        except FORESEEN:
            row.caption("missing")
    head = st.container(horizontal=True, vertical_alignment="center")
    head.markdown(f"**Group {cluster.number + 1}**, {_images(cluster.images)}")
    _badge(head, cluster.share)
    share = cluster.share
    st.caption(
        f"{share.counted} of {cluster.images} annotated, {cluster.masks} masks · {share.share:.0%} of the annotated, "
        f"{share.expected:.0%} expected"
    )


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _badge(where: "st.delta_generator.DeltaGenerator", share: Share) -> None:
    said = share.reading if share.reading == "even" else f"{share.reading} · {share.ratio:.2g} times"
    where.badge(said, color=_COLOURS[share.reading])  # type: ignore[arg-type]


def _show_bands(bands: Sequence[Group]) -> None:
    st.subheader("Sizes")
    st.caption("Shares of the photo. Expected is a band's share of all objects, with a mask or left.")
    if not any(group.masks + group.left for group in bands):
        st.info("No object is known or guessed yet.", icon=":material/balance:")
        return
    for name, group in zip(_BANDS, bands, strict=True):
        row = st.container(horizontal=True, vertical_alignment="center")
        row.markdown(f"{name}: **{group.masks:,}** masks, ~{group.left:,} left", width="stretch")
        _badge(row, group.share)


def _show_places(places: Sequence[Group]) -> None:
    st.subheader("Places")
    st.caption("Where on the photo objects have their middle: with a mask / left. Bright: most of them have a mask.")
    if not any(group.masks + group.left for group in places):
        st.info("No object is known or guessed yet.", icon=":material/balance:")
        return
    st.plotly_chart(places_figure(places), key="places", config={"displayModeBar": False})
    under = [index for index, group in enumerate(places) if group.share.reading == "under"]
    if under:
        named = ", ".join(f"{_ROWS[index // 3]} {_COLUMNS[index % 3]}" for index in under)
        st.caption(f"Under-represented: {named}.")
    else:
        st.caption("No field is clearly under-represented.")


def places_figure(places: Sequence[Group]) -> go.Figure:
    """Return the nine fields of a photo, each with its masks and what is left, coloured by the share that has one."""
    drawn = [[places[3 * row + column] for column in range(3)] for row in range(3)]
    shares = [[one.masks / max(1, one.masks + one.left) for one in row] for row in drawn]
    texts = [[f"{one.masks:,} / ~{one.left:,}" for one in row] for row in drawn]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            zmin=0,
            zmax=1,
            text=texts,
            texttemplate="%{text}",
            showscale=False,
            colorscale=[[0, "#3a3f4a"], [1, "#a8690a"]],
            textfont={"color": "#ffffff", "size": 13},
            hovertemplate="%{z:.0%} of the objects here have a mask<extra></extra>",
            xgap=3,
            ygap=3,
        )
    )
    figure.update_layout(
        height=220,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        xaxis={"visible": False},
        yaxis={"visible": False, "autorange": "reversed"},
    )
    return figure
