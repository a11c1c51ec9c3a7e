"""A fresh library, nothing chosen: the model that ships answers."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page

from benchmarks.app_process import AppProcess
from core.segmentation.catalogue import DEFAULT
from tests.e2e.conftest import Bench, pixels

ASTRONAUT = 3
FACE = (225, 110)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    with AppProcess(tmp_path_factory.mktemp("fresh") / "data") as running:
        yield running


def test_the_model_that_ships_answers_clicks_boxes_and_corrections(page: Page, fresh: AppProcess) -> None:
    assert httpx.get(f"{fresh.url}/healthz").json()["model"].startswith(f"{DEFAULT}@")
    bench = Bench(page, fresh.url)
    bench.open(ASTRONAUT)
    bench.prompted(lambda: bench.click(*FACE))
    assert len(bench.state()["candidates"]) == 3
    head = pixels(bench.mask())
    assert head[FACE[1], FACE[0]]
    bench.prompted(lambda: bench.click(330, 330))
    assert bench.state()["refined"] is True
    assert pixels(bench.mask())[330, 330]
    saved = bench.accept()
    assert saved["mask_id"]
    bench.prompted(lambda: bench.drag((160, 10), (300, 200)))
    boxed = pixels(bench.mask())
    boxed[10:201, 160:301] = False
    assert not boxed.any()
