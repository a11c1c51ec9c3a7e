"""A person annotates: every step of the loop in real Chromium, checked against what the server keeps."""

import io
import json
import zipfile
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from benchmarks.app_process import AppProcess
from tests.e2e.conftest import Bench, outline, pixels, settled

COFFEE, CHELSEA, ASTRONAUT, ROCKET, COINS, CAMERA, RETINA, IHC, HUBBLE, CELL = range(1, 11)


def kept(app: AppProcess, image_id: int) -> list[dict[str, Any]]:
    """Return what the server keeps of an image's masks."""
    found: list[dict[str, Any]] = httpx.get(f"{app.url}/api/images/{image_id}").json()["mask_list"]
    return found


def test_click_candidates_refine_accept_reload(bench: Bench, app: AppProcess) -> None:
    bench.open(COFFEE)
    bench.prompted(lambda: bench.click(300, 250))
    state = bench.state()
    assert len(state["candidates"]) == 3
    assert state["object"]["points"][0]["label"] == 1
    assert abs(state["object"]["points"][0]["x"] - 300) < 1
    assert pixels(bench.mask())[250, 300]
    bench.until("s.candidates.every((c) => c.rle)")
    first = pixels(bench.mask())
    bench.press("2")
    bench.until("s.object.chosen === 1 && s.current")
    assert not np.array_equal(pixels(bench.mask()), first)
    bench.press("1")
    bench.until("s.object.chosen === 0 && s.current")
    assert np.array_equal(pixels(bench.mask()), first)

    y, x = (int(value) for value in np.argwhere(first)[len(np.argwhere(first)) // 5])
    bench.prompted(lambda: bench.click(x + 0.5, y + 0.5, button="right"))
    assert bench.state()["refined"] is True
    assert not pixels(bench.mask())[y, x]

    seen = pixels(bench.mask())
    bench.press("Enter")
    bench.until("s.masks.length === 1 && s.unsaved === 0")
    (saved,) = kept(app, COFFEE)
    assert np.array_equal(pixels(saved["rle"]), seen)
    assert [prompt["label"] for prompt in saved["prompts"]] == [1, 0]
    assert saved["times"]["thinking_ms"] + saved["times"]["prompting_ms"] > 0

    bench.open(COFFEE)
    assert np.array_equal(pixels(bench.state()["masks"][0]["rle"]), seen)


def test_a_drag_is_a_box(bench: Bench) -> None:
    bench.open(CELL)
    bench.prompted(lambda: bench.drag((370, 270), (540, 440)))
    box = bench.state()["object"]["box"]
    assert [round(box[side]) for side in ("x0", "y0", "x1", "y1")] == pytest.approx([370, 270, 540, 440], abs=2)
    rows, columns = np.nonzero(pixels(bench.mask()))
    assert rows.min() >= 268
    assert rows.max() <= 442
    assert columns.min() >= 368
    assert columns.max() <= 542


def test_a_zoomed_stroke_lands_on_the_right_pixels(bench: Bench, app: AppProcess) -> None:
    bench.open(CAMERA)
    bench.page.mouse.move(*bench.at(100, 100))
    while bench.state()["view"]["scale"] < 8:
        scale = bench.state()["view"]["scale"]
        bench.page.mouse.wheel(0, -120)
        bench.until(f"s.view.scale > {scale}")
    bench.press("b")
    for _ in range(60):
        if bench.state()["brush_size"] <= 4:
            break
        bench.press("[")
    size = bench.state()["brush_size"]
    bench.drag((95.5, 100.5), (105.5, 100.5))
    bench.until("s.has_mask")
    painted = pixels(bench.mask())
    rows, columns = np.nonzero(painted)
    radius = size / 2
    assert abs(rows.mean() - 100) < 0.6
    assert rows.min() >= 100.5 - radius - 1
    assert rows.max() <= 100.5 + radius
    assert columns.min() >= 95.5 - radius - 1
    assert columns.max() <= 105.5 + radius
    assert painted[100, 95:106].all()

    bench.press("d")
    bench.drag((100.5, 96.5), (100.5, 104.5))
    bench.until("s.object.edits.length === 2")
    erased = pixels(bench.mask())
    assert np.array_equal(bench.shown(), erased)
    assert not erased[:, 100].any()
    assert erased[100, 95]

    bench.press("Enter")
    bench.until("s.masks.length === 1 && s.unsaved === 0")
    (saved,) = kept(app, CAMERA)
    assert np.array_equal(pixels(saved["rle"]), erased)
    assert np.array_equal(bench.shown("accepted"), erased)
    assert saved["edited"] is True
    assert {flag["name"] for flag in saved["flags"]} >= {"islands", "small"}


def test_undo_goes_back_to_nothing_and_redo_returns(bench: Bench, app: AppProcess) -> None:
    bench.open(CHELSEA)
    bench.prompted(lambda: bench.click(220, 150))
    bench.until("s.candidates.every((c) => c.rle)")
    bench.press("2")
    bench.until("s.object.chosen === 1 && s.current")
    bench.press("b")
    bench.drag((30, 30), (60, 30))
    bench.until("s.object.edits.length === 1")
    done = pixels(bench.mask())
    bench.press("Enter")
    bench.until("s.masks.length === 1 && s.unsaved === 0")

    steps = 0
    while bench.state()["can_undo"]:
        bench.press("z")
        steps += 1
        assert steps < 20
    bench.until("s.masks.length === 0 && !s.has_mask && s.unsaved === 0")
    assert steps == 4
    assert kept(app, CHELSEA) == []

    while bench.state()["can_redo"]:
        bench.press("y")
    bench.until("s.masks.length === 1 && s.unsaved === 0")
    (saved,) = kept(app, CHELSEA)
    assert np.array_equal(pixels(saved["rle"]), done)


def test_the_timer_skips_and_one_key_takes_it_back(bench: Bench, app: AppProcess) -> None:
    bench.open(ROCKET)
    bench.page.clock.install()
    bench.open(ROCKET)
    bench.prompted(lambda: bench.click(320, 200))
    for _ in range(40):
        # A person who keeps looking around: without input the clock would stop.
        bench.page.mouse.move(*bench.at(300 + _, 200))
        bench.page.clock.run_for(1000)
        if bench.state()["skips"]:
            break
    bench.until("s.skips.length === 1 && !s.has_mask && s.unsaved === 0")
    waiting = httpx.get(f"{app.url}/api/images/{ROCKET}").json()["open_skips"]
    assert waiting[0]["reason"] == "timer"
    assert waiting[0]["state"]["object"]["points"]
    bench.press("t")
    bench.until("s.skips.length === 0 && s.object.points.length === 1")
    bench.page.clock.run_for(3000)
    bench.until("s.unsaved === 0")
    assert httpx.get(f"{app.url}/api/images/{ROCKET}").json()["open_skips"] == []
    # The time given anew is the object's own: a reload takes none of it away.
    bench.open(ROCKET)
    bench.until("s.object.points.length === 1 && s.has_mask")
    assert bench.state()["limit_used_ms"] < 5_000
    assert sum(bench.state()["times"].values()) > 30_000


def test_offline_work_is_kept_and_catches_up(bench: Bench, app: AppProcess) -> None:
    bench.open(ASTRONAUT)
    bench.prompted(lambda: bench.click(230, 120))
    bench.until("s.candidates.every((c) => c.rle)")
    seen = pixels(bench.mask())
    bench.page.context.set_offline(True)
    bench.press("Enter")
    bench.until("s.masks.length === 1 && s.unsaved > 0 && !s.online")
    assert kept(app, ASTRONAUT) == []
    bench.page.context.set_offline(False)
    bench.until("s.unsaved === 0 && s.online", timeout_s=40)
    (saved,) = kept(app, ASTRONAUT)
    assert np.array_equal(pixels(saved["rle"]), seen)


def test_the_object_in_work_survives_a_reload(bench: Bench) -> None:
    bench.open(RETINA)
    bench.prompted(lambda: bench.click(700, 700))
    before = pixels(bench.mask())
    bench.open(RETINA)
    bench.until("s.object.points.length === 1 && s.has_mask && s.current")
    assert np.array_equal(pixels(bench.mask()), before)


def test_deleting_an_accepted_mask_can_be_undone(bench: Bench, app: AppProcess) -> None:
    bench.open(IHC)
    bench.press("b")
    bench.drag((100, 100), (160, 100))
    bench.until("s.has_mask")
    bench.press("Enter")
    bench.until("s.masks.length === 1 && s.unsaved === 0")
    bench.press(".")
    bench.until("s.selected !== null")
    bench.press("Delete")
    bench.until("s.masks.length === 0 && s.unsaved === 0")
    assert kept(app, IHC) == []
    bench.press("z")
    bench.until("s.masks.length === 1 && s.unsaved === 0")
    assert len(kept(app, IHC)) == 1


def test_an_export_holds_what_was_on_the_screen(bench: Bench, app: AppProcess) -> None:
    bench.open(COINS)
    bench.prompted(lambda: bench.click(45, 45))
    seen = bench.shown()
    assert seen.any()
    bench.press("Enter")
    bench.until("s.masks.length === 1 && s.unsaved === 0")
    assert np.array_equal(bench.shown("accepted"), seen)
    (saved,) = kept(app, COINS)
    page = bench.page
    page.goto(f"{app.url}/images")
    page.get_by_role("button", name="Export masks").click()
    page.get_by_role("dialog").get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download coco-").click()
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    written = json.loads(archive.read("annotations.json"))
    (entry,) = [entry for entry in written["annotations"] if entry["id"] == saved["mask_id"]]
    assert np.array_equal(coco.decode(entry["segmentation"]).astype(bool), seen)
    names = {image["id"]: image["file_name"] for image in written["images"]}
    picture = Image.open(io.BytesIO(archive.read(f"images/{names[COINS]}")))
    assert (picture.height, picture.width) == seen.shape


def test_an_outline_by_hand_becomes_a_mask_made_by_hand(bench: Bench, app: AppProcess) -> None:
    bench.open(HUBBLE)
    bench.press("h")
    page = bench.page
    page.get_by_text("No closed path yet").wait_for()
    outline(page, [(200, 200), (400, 200), (400, 500), (200, 500)], 1000)
    kept_ms = page.wait_for_function(
        """() => {
          const key = Object.keys(localStorage).find((key) => key.startsWith('masksmith.outline.'));
          const times = JSON.parse(localStorage.getItem(key) ?? '{}');
          return times.painting_ms + times.thinking_ms;
        }"""
    ).json_value()
    page.reload()
    page.get_by_text("1 path").wait_for()
    settled(page)
    page.get_by_role("button", name="Save mask").click()
    bench.until("s.image_id === 9 && s.phase === 'ready' && s.masks.length === 1", timeout_s=40)
    (saved,) = kept(app, HUBBLE)
    assert saved["origin"] == "by_hand"
    assert saved["times"]["painting_ms"] > 0
    assert saved["active_ms"] > kept_ms > 0
    assert saved["times"]["waiting_ms"] == saved["times"]["prompting_ms"] == 0
    expected = np.zeros((872, 1000), bool)
    expected[200:500, 200:400] = True
    mask = pixels(saved["rle"])
    assert (mask & expected).sum() / (mask | expected).sum() > 0.97
