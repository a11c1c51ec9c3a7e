"""The page Models in real Chromium: a retraining is watched, a version promoted and rolled back."""

from collections.abc import Iterator

import httpx
import pytest
import torch
from playwright.sync_api import Page, expect

from benchmarks.app_process import AppProcess
from core import versions
from core.segmentation.catalogue import STARTER, SegmenterSpec, load_segmenter
from core.segmentation.heads import head_bytes, head_of, with_head
from core.versions import Made
from core.workshop import open_library
from tests.conftest import settings_of

DIFFERENCE = {"mean": 0.05, "low": 0.01, "high": 0.09}
FIGURES = ("iou_at_1", "best3_at_1", "iou_at_3", "iou_at_5", "noc85")
SIDE = {
    "values": dict.fromkeys(FIGURES, 0.5),
    "intervals": dict.fromkeys(FIGURES, (0.4, 0.6)),
    "reliability": [{"start": 0.5, "end": 0.6, "count": 9, "predicted": 0.55, "actual": 0.5}],
}
MEASURED = {
    "objects": 12,
    "images": 4,
    "differences": dict.fromkeys(FIGURES, DIFFERENCE),
    "champion": SIDE,
    "challenger": SIDE,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app with a version beside the starter: another head, and figures as a retraining would leave them."""
    data = tmp_path_factory.mktemp("models") / "data"
    with AppProcess(data):
        pass  # its first start notes the version that answers
    library = open_library(settings_of(data), samples=False)
    segmenter = load_segmenter(SegmenterSpec(STARTER, device="cpu"))
    head = head_of(segmenter)
    with torch.no_grad():
        for value in head.parameters():
            value.mul_(1.01)
    challenger = with_head(segmenter, head.state_dict(), title=segmenter.title)
    detail = {
        "trained": {"masks": 40, "older": 0, "history": [{"number": 1, "loss": 2.0, "first_iou": 0.5}]},
        "holdout": MEASURED,
        "forgetting": MEASURED,
        "saving": {"objects": 12, "clicks": DIFFERENCE, "seconds": DIFFERENCE},
        "verdict": {"kind": "better", "reason": "IoU after 1 click rose by 0.050 (+0.010 to +0.090)"},
    }
    versions.register(library, challenger, versions.every(library)[0], Made(head_bytes(head), 40, detail))
    library.close()
    with AppProcess(data) as running:
        yield running


def answering(app: AppProcess) -> int:
    found: int = httpx.get(f"{app.url}/api/models").json()["answering"]
    return found


def test_a_version_is_promoted_and_rolled_back_with_one_click_each(page: Page, trained: AppProcess) -> None:
    before = httpx.get(f"{trained.url}/healthz").json()["model"]
    page.goto(f"{trained.url}/models")
    page.get_by_text("version 1, answers now").wait_for()
    page.get_by_text("IoU after 1 click rose by 0.050").first.wait_for()
    page.get_by_text("learned from 40 new masks").wait_for()
    page.get_by_text("Figures", exact=True).click()
    expect(page.get_by_text("Beside the version it was made of, on 12 masks of 4 kept images")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    page.get_by_role("button", name="Promote").click()
    page.get_by_text("version 2, answers now").wait_for()
    assert answering(trained) == 2
    assert httpx.get(f"{trained.url}/healthz").json()["model"] != before
    page.get_by_role("button", name="Roll back").click()
    page.get_by_text("version 1, answers now").wait_for()
    assert httpx.get(f"{trained.url}/healthz").json()["model"] == before


def test_a_retraining_goes_on_beside_the_page_and_says_how_it_ended(page: Page, trained: AppProcess) -> None:
    page.goto(f"{trained.url}/models")
    page.get_by_role("button", name="Retrain").click()
    said = "The last one failed: retraining must have at least 10 masks accepted, got 0."
    page.get_by_text(said).wait_for(timeout=60_000)
    page.reload()
    page.get_by_text(said).wait_for()
    assert httpx.get(f"{trained.url}/api/retrainings/newest").json()["state"] == "failed"
