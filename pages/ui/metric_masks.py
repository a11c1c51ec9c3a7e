"""The masks behind a bar: the newest of them, each a way to the workbench."""

from dataclasses import replace
from datetime import date
from typing import Any, Final

import streamlit as st

from core import metrics, reviewing
from core.errors import FORESEEN
from core.mask_rows import decoded
from core.metrics import Chosen
from core.review_views import views
from core.workshop import Workshop
from pages.ui.metric_charts import Chart
from pages.ui.resources import jpeg_bytes
from pages.ui.text import plain

SHOWN: Final = 8
_SHARES: Final = {"below 1 %": (0.0, 0.01), "1 to 10 %": (0.01, 0.1), "above 10 %": (0.1, 2.0)}


def show_behind(shop: Workshop, chosen: Chosen, chart: Chart, event: Any) -> None:
    """Show the newest masks behind the bar that was clicked, if one was."""
    points = event.selection.points
    if not points:
        return
    asked, ranges = asked_by(chart.picks, chosen, points[0])
    found = metrics.behind(shop, asked, limit=SHOWN, **ranges)
    st.caption(
        f"The newest {len(found)} masks behind this bar" if found else "No mask stands behind this bar any more."
    )
    row = st.container(horizontal=True, gap="xsmall")
    for mask in found:
        try:
            task = reviewing.task(shop, mask.id)
            pixels = shop.working_pixels(task.image.working_sha256)
        except FORESEEN as error:
            row.caption(plain(str(error)))
            continue
        cell = row.container(width=120)
        cell.image(jpeg_bytes(views(pixels, decoded(mask)).close_over), width=120)
        if cell.button("Open", key=f"open-{chart.key}-{mask.id}", type="tertiary"):
            st.switch_page("annotate.py", query_params={"image": str(mask.image_id), "mask": str(mask.id)})


def asked_by(picks: str, chosen: Chosen, point: dict[str, Any]) -> tuple[Chosen, dict[str, tuple[float, float]]]:
    """Return what a clicked bar stands for: what is chosen, and ranges of share or predicted IoU.

    Examples
    --------
    >>> asked_by("size", Chosen(), {"customdata": [0.5, 0.525]})[1]
    {'share': (0.25, 0.275625)}
    """
    if picks == "day":
        day = date.fromisoformat(str(point["x"])[:10])
        return replace(chosen, since=day, until=day), {}
    if picks == "share":
        return chosen, {"share": _SHARES[str(point["x"])]}
    low, high = (float(value) for value in point["customdata"])
    # What is exactly 1 lies in the last bar.
    high = high if high < 1 else 2.0
    return chosen, {"share": (low**2, high**2)} if picks == "size" else {"predicted": (low, high)}
