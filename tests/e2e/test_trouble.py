"""Slow answers, a server that dies, a project of another kind: none of it costs work."""

import re
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page, Route

from benchmarks.app_process import AppProcess
from core.projects import change_settings, settings
from core.workshop import Library
from tests.e2e.conftest import Bench, kept, pixels
from tests.e2e.photos import DISK

X, Y, _ = DISK


def test_keys_pressed_while_the_next_image_opens_do_not_touch_it(bench: Bench, app: AppProcess, image: int) -> None:
    bench.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    held: list[Route] = []
    bench.page.route(re.compile(r"/api/images/\d+$"), lambda route: held.append(route), times=1)
    bench.press("p")
    bench.until(f"s.phase === 'opening' && s.image_id !== {image}")
    other = bench.state()["image_id"]
    before = [mask["key"] for mask in kept(app, other)["mask_list"]]
    for key in ("Enter", "s", "a", "Delete", "z"):
        bench.press(key)
    assert bench.state()["unsaved"] == 0
    assert not bench.state()["in_work"]
    held[0].continue_()
    bench.until("s.phase === 'ready'")
    assert [mask["key"] for mask in kept(app, other)["mask_list"]] == before
    bench.open(image)
    bench.until("s.object.points.length === 1 && s.has_mask")


def test_a_candidate_whose_mask_did_not_come_is_fetched_again(bench: Bench, image: int) -> None:
    bench.open(image)
    bench.page.route(re.compile(r"/candidates/"), lambda route: route.fulfill(status=503))
    with bench.page.expect_response(re.compile(r"/candidates/")):
        bench.prompted(lambda: bench.click(X, Y))
    bench.press("2")
    bench.until("s.object.chosen === 1 && s.message.kind === 'error'")
    bench.page.unroute_all()
    bench.press("Enter")
    bench.until("s.candidates[1].rle && s.masks.length === 0")
    rle = bench.state()["candidates"][1]["rle"]
    assert bench.accept()["rle"] == rle


def test_a_server_that_dies_costs_nothing(page: Page, tmp_path_factory: pytest.TempPathFactory) -> None:
    with AppProcess(tmp_path_factory.mktemp("mortal") / "data") as app:
        bench = Bench(page, app.url)
        bench.open(1)
        bench.prompted(lambda: bench.click(300, 250))
        seen = pixels(bench.mask())
        app.kill()
        bench.press("Enter")
        bench.until("s.masks.length === 1 && s.unsaved > 0 && !s.online")
        page.get_by_text("CONNECTING").wait_for()
        page.locator("[data-testid=stDialog]").wait_for(state="hidden")
        bench.press("b")
        bench.drag((50, 50), (90, 50))
        bench.until("s.object.edits.length === 1")
        app.start()
        bench.until("s.unsaved === 0 && s.online && s.masks[0].mask_id", timeout_s=60)
        (saved,) = kept(app, 1)["mask_list"]
        assert np.array_equal(pixels(saved["rle"]), seen)
        bench.open(1)
        bench.until("s.object.edits.length === 1 && s.has_mask && s.masks.length === 1")


def test_two_tabs_on_one_image_keep_each_its_object(bench: Bench, app: AppProcess, image: int) -> None:
    other = Bench(bench.page.context.new_page(), app.url)
    for tab in (bench, other):
        tab.open(image)
    bench.prompted(lambda: bench.click(X, Y))
    other.press("b")
    other.drag((20, 20), (60, 20))
    other.accept()
    bench.open(image)
    bench.until("s.object.points.length === 1 && s.has_mask && s.masks.length === 1")


def test_alone_on_a_machine_two_tabs_share_an_image(bench: Bench, app: AppProcess, image: int) -> None:
    other = Bench(bench.page.context.new_page(), app.url)
    for tab in (bench, other):
        tab.open(image)
    bench.prompted(lambda: bench.click(130, 100))
    bench.accept()
    assert (bench.state()["held"], other.state()["held"]) == (None, None)
    other.press("n")
    other.until(f"s.image_id !== {image} && s.phase === 'ready'")
    bench.press("n")
    bench.until(f"s.image_id !== {image} && s.phase === 'ready' && s.unsaved === 0")


def test_a_project_may_only_warn_and_ask_for_labels(
    bench: Bench, app: AppProcess, image: int, library: Library
) -> None:
    before = settings(library)
    page = bench.page
    page.goto(f"{app.url}/settings")
    page.get_by_text("Only warn", exact=True).click()
    page.get_by_text("A label for each mask", exact=True).click()
    page.get_by_role("textbox", name="Label names").fill("disk\nring\n")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved. Pages that are open").wait_for()
    try:
        assert settings(library) == replace(before, skip_mode="warn", labels=True, label_names=("disk", "ring"))
        bench.open(image)
        page.clock.install()
        bench.open(image)
        bench.prompted(lambda: bench.click(X, Y))
        for step in range(60):
            page.mouse.move(*bench.at(X + step % 9, Y))
            page.clock.run_for(1000)
            if bench.state()["limit_used_ms"] > 31_000:
                break
        assert bench.state()["limit_used_ms"] > 31_000
        assert bench.state()["skips"] == []
        bench.press("l")
        page.keyboard.type("disk")
        page.keyboard.press("Enter")
        page.clock.run_for(2000)
        bench.press("Enter")
        for _ in range(30):
            page.clock.run_for(500)
            if bench.state()["unsaved"] == 0 and bench.state()["masks"]:
                break
        (saved,) = kept(app, image)["mask_list"]
        assert saved["label"] == "disk"
    finally:
        change_settings(library, before.to_json())
