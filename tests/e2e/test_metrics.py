"""The Metrics page in real Chromium: figures, filters, the masks behind a bar, files to take away."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from benchmarks.app_process import AppProcess
from core import annotating, masks
from core.segmentation.catalogue import GRABCUT
from core.workshop import open_library
from storage import images, people
from tests.conftest import settings_of
from tests.e2e.conftest import settled


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app with twelve masks on two photos, half of them another person's."""
    data = tmp_path_factory.mktemp("metrics") / "data"
    with AppProcess(data, {"MASKSMITH_MODEL": GRABCUT}) as running:
        library = open_library(settings_of(data), samples=False)
        with library.engines.writing() as session:
            rita = people.get_or_create("rita", session=session).id
        owner = library.person_id
        for number in range(12):
            image_id = 1 + number % 2
            with library.engines.reading() as session:
                image = images.get(image_id, session=session)
            mask = np.zeros((image.height, image.width), bool)
            mask[10 * number : 10 * number + 60, 20 : 60 + 10 * number] = True
            library.person_id = owner if number % 2 else rita
            accepted = annotating.Accepted(
                masks.encode(mask), object_key=f"o{number}", predicted_iou=0.82, times={"thinking_ms": 4000}
            )
            annotating.accept(library, image_id, f"m{number}", accepted)
        library.close()
        yield running


def tile(page: Page, name: str) -> str:
    label = page.get_by_test_id("stMetricLabel").filter(has_text=re.compile(f"^{name}$"))
    return page.get_by_test_id("stMetric").filter(has=label).get_by_test_id("stMetricValue").inner_text()


def test_figures_follow_the_filters_and_lead_to_the_masks_behind_them(page: Page, app: AppProcess) -> None:
    page.goto(f"{app.url}/metrics")
    page.get_by_text("Masks a day").wait_for()
    settled(page)
    assert (tile(page, "Masks"), tile(page, "Seconds a mask")) == ("12", "4.0")
    page.get_by_label("People").click()
    page.get_by_role("option", name="rita").click()
    page.get_by_text("Masks a day").click()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("6")
    settled(page)
    bars = page.locator(".st-key-chart-predicted .bars .point path")
    shown = [bar for bar in bars.all() if (bar.bounding_box() or {"height": 0})["height"] > 5]
    assert len(shown) == 1
    shown[0].scroll_into_view_if_needed()
    box = page.locator(".st-key-chart-predicted .nsewdrag").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.825 * box["width"], box["y"] + 0.7 * box["height"])
    page.get_by_text("The newest 6 masks behind this bar").wait_for()
    settled(page)
    page.locator('[class*="st-key-open-predicted"] button').first.click()
    page.wait_for_function("window.__masksmith?.state().object?.base !== null && window.__masksmith?.state().in_work")


def test_numbers_and_a_report_can_be_taken_away(page: Page, app: AppProcess, tmp_path: Path) -> None:
    page.goto(f"{app.url}/metrics")
    page.get_by_text("Masks a day").wait_for()
    settled(page)
    with page.expect_download() as waiting:
        page.locator(".st-key-csv-shares button").click()
    waiting.value.save_as(tmp_path / "shares.csv")
    rows = list(csv.DictReader((tmp_path / "shares.csv").read_text().splitlines()))
    assert [row["share of the image"] for row in rows] == ["below 1 %", "1 to 10 %", "above 10 %"]
    assert sum(int(row["masks"]) for row in rows) == 12
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Report to print (HTML)").click()
    waiting.value.save_as(tmp_path / "report.html")
    context = page.context.browser.new_context(offline=True)  # type: ignore[union-attr]
    printed = context.new_page()
    printed.goto(f"file://{tmp_path / 'report.html'}")
    printed.get_by_text("12 masks were accepted by people").wait_for()
    expect(printed.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    context.close()
