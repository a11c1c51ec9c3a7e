"""Metrics: how much, how good, how large and how fast, for somebody who has two minutes."""

import csv
from datetime import UTC, date, datetime
from io import StringIO
from typing import Final

import streamlit as st

from core import metrics
from core.metric_quality import Quality, quality
from core.metrics import Chosen, Figures
from core.round_summaries import summaries
from core.workshop import Workshop
from pages.ui.chart import Chart
from pages.ui.frame import use_the_width
from pages.ui.mask_charts import spread
from pages.ui.metric_charts import charts
from pages.ui.metric_masks import show_behind
from pages.ui.metric_report import report
from pages.ui.quality_charts import told
from pages.ui.resources import open_workshop

_MODEBAR: Final = {"modeBarButtons": [["toImage"]], "displaylogo": False, "toImageButtonOptions": {"scale": 2}}


def _chosen(shop: Workshop, people: dict[int, str]) -> Chosen:
    row = st.container(horizontal=True, vertical_alignment="bottom", key="metrics-filters")
    days = row.date_input("Days", value=[], format="YYYY-MM-DD", width=260, help="Nothing chosen means all.")
    who = row.multiselect("People", list(people), format_func=lambda one: people[one], width=260)
    versions = row.multiselect("Model versions", metrics.versions(shop), format_func=str, width=260)
    since, until = (*days, None, None)[:2] if isinstance(days, tuple) else (days, days)
    return Chosen(since, until, tuple(who), tuple(versions))


def _tiles(found: Figures, said: Quality, before: tuple[Figures, Quality] | None) -> None:
    progress, effort = found.progress, found.effort
    share = progress.done / progress.images if progress.images else 0.0
    mean, median, _ = spread(found.per_image)
    row = st.container(horizontal=True, key="metrics-tiles")

    def tile(title: str, value: str, now: float, then: float | None, unit: str, help_text: str, *, less: bool) -> None:
        change = None if then is None else f"{now - then:+,.1f}{unit}"
        row.metric(
            title, value, change, delta_color="inverse" if less else "normal", help=help_text, border=True, width=190
        )

    old = before[0] if before else None
    old_said = before[1] if before else None
    tile(
        "Masks",
        f"{effort.masks:,}",
        effort.masks,
        old.effort.masks if old else None,
        "",
        "Accepted masks that stand.",
        less=False,
    )
    row.metric(
        "Images finished",
        f"{progress.done:,}",
        f"{share:.0%} of {progress.images:,}",
        delta_color="off",
        delta_arrow="off",
        border=True,
        width=190,
    )
    row.metric(
        "Masks an image",
        f"{mean:.1f}",
        f"median {median:g}",
        delta_color="off",
        delta_arrow="off",
        border=True,
        width=190,
    )
    if found.surveyed:
        row.metric(
            "Covered",
            f"{found.coverage:.0%}",
            f"{found.surveyed:,} surveyed",
            delta_color="off",
            delta_arrow="off",
            help="Masks as a share of masks and what a model finds besides them, mean over the surveyed images.",
            border=True,
            width=190,
        )
    if effort.assisted:
        help_text = "Mean active seconds of masks made with a model's help; SAM's annotators: 34 at first, 14 at last."
        then = old.effort.active if old and old.effort.assisted else None
        tile("Seconds a mask", f"{effort.active:.1f}", effort.active, then, " s", help_text, less=True)
        then = old.effort.prompts if old and old.effort.assisted else None
        tile("Prompts a mask", f"{effort.prompts:.1f}", effort.prompts, then, "", "Points and boxes.", less=True)
    if said.above95 + said.from90 + said.below90:
        then = 100 * old_said.good.mean if old_said and old_said.verdicts else None
        tile("Masks ≥ 0.9 IoU", f"{said.good.mean:.0%}", 100 * said.good.mean, then, " %", told(said.good), less=False)
    if found.speed_ups:
        one = found.speed_ups.overall
        how = (
            "Objects assigned by chance."
            if found.speed_ups.by_chance
            else "Not assigned by chance: see the chart below."
        )
        help_text = f"Mean active time of outlines by hand over that of masks made with a model's help. {how}"
        row.metric(
            "Faster than by hand",
            f"{one.mean:.1f}x",
            f"{one.low:.1f} to {one.high:.1f}",
            delta_color="off",
            delta_arrow="off",
            help=help_text,
            border=True,
            width=190,
        )


def _show(shop: Workshop, chosen: Chosen, one: Chart) -> None:
    with st.container(border=True, height="stretch"):
        top = st.container(horizontal=True, vertical_alignment="center")
        top.markdown(f"**{one.title}**", width="stretch")
        if one.rows:
            top.download_button(
                "CSV",
                _csv(one),
                f"masksmith-{one.key}.csv",
                "text/csv",
                key=f"csv-{one.key}",
                type="tertiary",
                on_click="ignore",
            )
        if one.figure is None:
            st.caption(one.instead)
        else:
            event = st.plotly_chart(
                one.figure,
                key=f"chart-{one.key}",
                config=_MODEBAR,
                on_select="rerun" if one.picks else "ignore",
                selection_mode="points",
            )
            if one.picks:
                show_behind(shop, chosen, one, event)
        st.caption(one.definition)


def _csv(one: Chart) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, list(one.rows[0]))
    writer.writeheader()
    writer.writerows(one.rows)
    return text.getvalue()


shop = open_workshop("see_team")
use_the_width()
people = metrics.names(shop)
chosen = _chosen(shop, people)
found, said = metrics.figures(shop, chosen), quality(shop, chosen)
before = None
if (
    chosen.since
    and chosen.until
    and st.toggle(f"Compare with the {(chosen.until - chosen.since).days + 1} days before", key="metrics-compare")
):
    earlier = chosen.before()
    before = metrics.figures(shop, earlier), quality(shop, earlier)
_tiles(found, said, before)
with st.spinner("Comparing rounds …", show_time=True):
    agreed = summaries(shop, chosen)
shown = charts(found, said, agreed, people)
for place in range(0, len(shown), 2):
    for column, one in zip(st.columns(2), shown[place : place + 2], strict=False):
        with column:
            _show(shop, chosen, one)
st.download_button(
    "Report to print (HTML)",
    lambda: report(shop, chosen, found, said, shown, people, datetime.now(UTC)),
    f"masksmith-{date.today():%Y-%m-%d}.html",
    "text/html",
    icon=":material/print:",
    on_click="ignore",
)
