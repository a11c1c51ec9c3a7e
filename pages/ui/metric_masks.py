"""The masks behind a bar: the newest of them, each a way to the workbench."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import streamlit as st

from core import metrics, reviewing
from core.errors import FORESEEN
from core.mask_rows import decoded
from core.metrics import BANDS, Chosen
from core.review_views import views
from core.workshop import Workshop
from pages.ui.chart import Chart
from pages.ui.resources import jpeg_bytes
from pages.ui.text import plain
from storage.narrowing import MaskRanges

SHOWN: Final = 8
_SHARES: Final = {"below 1 %": (0.0, 0.01), "1 to 10 %": (0.01, 0.1), "above 10 %": (0.1, 2.0)}
_SECONDS: Final = {"easy": (0, BANDS[0]), "medium": BANDS, "complex": (BANDS[1], 1e6)}


def show_behind(shop: Workshop, chosen: Chosen, chart: Chart, event: Any) -> None:
    """Show the newest masks behind the bar that was clicked, if one was."""
    points = event.selection.points
    if not points:
        return
    asked, ranges = asked_by(chart.picks, chosen, points[0])
    found = metrics.behind(shop, asked, ranges, limit=SHOWN)
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


def asked_by(picks: str, chosen: Chosen, point: dict[str, Any]) -> tuple[Chosen, MaskRanges]:
    """Return what a clicked bar stands for: what is chosen, and what its masks have in common.

    Examples
    --------
    >>> asked_by("size", Chosen(), {"customdata": [0.5, 0.525]})[1].share
    (0.25, 0.275625)
    """
    if picks == "day":
        day = date.fromisoformat(str(point["x"])[:10])
        return replace(chosen, since=day, until=day), MaskRanges()
    if picks == "share":
        return chosen, MaskRanges(share=_SHARES[str(point["x"])])
    if picks == "seconds":
        return chosen, MaskRanges(seconds=_SECONDS[str(point["x"]).partition(",")[0]])
    if picks == "flag":
        return chosen, MaskRanges(flag=str(point["customdata"]))
    if picks in ("week", "version", "person"):
        return _narrowed(picks, chosen, int(point["customdata"][1])), MaskRanges()
    low, high = (float(value) for value in point["customdata"])
    # What is exactly 1 lies in the last bar.
    high = high if high < 1 else 2.0
    if picks == "size":
        return chosen, MaskRanges(share=(low**2, high**2))
    return chosen, MaskRanges(predicted=(low, high)) if picks == "predicted" else MaskRanges(concavity=(low, high))


def _narrowed(picks: str, chosen: Chosen, key: int) -> Chosen:
    if picks == "person":
        return replace(chosen, people=(key,))
    if picks == "version":
        return replace(chosen, versions=(key,))
    first = date.fromordinal(key)
    last = first + timedelta(days=6)
    return replace(chosen, since=max(first, chosen.since or first), until=min(last, chosen.until or last))
