"""The Review page in real Chromium: an audit by keys, a mask sent back with a drawing, a fix, the hard queue."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from scipy.ndimage import binary_fill_holes, label

from benchmarks.app_process import AppProcess
from core import annotating, auditing, masks, reviewing, skipping
from core.feedback import monday_of
from core.segmentation.catalogue import GRABCUT
from core.workshop import Library, open_library
from storage import images, reviews, skips
from storage.rows import ReviewRow, Times
from tests.conftest import settings_of
from tests.e2e.conftest import Bench, settled

SKIPPED = {"object": {"key": "skipped", "points": [{"x": 60.5, "y": 70.5, "label": 1, "at": 900}], "box": None}}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app with two masks on each of its first four sample photos, and one skipped object."""
    data = tmp_path_factory.mktemp("review") / "data"
    with AppProcess(data, {"MASKSMITH_MODEL": GRABCUT}) as running:
        library = open_library(settings_of(data), samples=False)
        for image_id in (1, 2, 3, 4):
            with library.engines.reading() as session:
                image = images.get(image_id, session=session)
            for number in (0, 1):
                mask = np.zeros((image.height, image.width), bool)
                mask[40:140, 30 + 150 * number : 130 + 150 * number] = True
                accepted = annotating.Accepted(masks.encode(mask), object_key=f"o{number}", predicted_iou=0.8)
                annotating.accept(library, image_id, f"m{image_id}-{number}", accepted)
        skipping.skip(library, 5, "skip", object_key="skipped", reason="hard", state=SKIPPED, times={})
        library.close()
        yield running


@pytest.fixture
def library(app: AppProcess) -> Iterator[Library]:
    opened = open_library(settings_of(app.data), samples=False)
    yield opened
    opened.close()


def said(library: Library) -> list[ReviewRow]:
    """Return every verdict, oldest first."""
    with library.engines.reading() as session:
        found = reviews.of_masks(list(range(1, 20)), session=session)
    return sorted((one for some in found.values() for one in some), key=lambda one: one.id)


def open_queue(page: Page, app: AppProcess, name: str) -> None:
    page.goto(f"{app.url}/review")
    page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name)).first.click()


def test_an_audit_is_drawn_gone_through_by_keys_and_a_verdict_undone(
    page: Page, app: AppProcess, library: Library
) -> None:
    page.goto(f"{app.url}/review")
    page.get_by_role("button", name="New audit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Masks", exact=True).fill("3")
    dialog.get_by_label("Masks", exact=True).press("Tab")
    dialog.get_by_role("button", name="Draw", exact=True).click()
    page.get_by_text("0 of 3 looked at, all masks alike").wait_for()
    settled(page)
    page.keyboard.press("8")
    expect(page.locator(".st-key-rate-8 button")).to_have_attribute("kind", "primary")
    settled(page)
    page.keyboard.press("a")
    page.get_by_text("1 of 3 looked at, all masks alike · rated 8.0").wait_for()
    expect(page.get_by_text("100% of masks ≥ 0.9 IoU")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Undo the last verdict").click()
    page.get_by_text("0 of 3 looked at, all masks alike").wait_for()
    assert said(library) == []
    for count in (1, 2, 3):
        settled(page)
        page.keyboard.press("x" if count == 1 else "a")
        page.get_by_text(f"{count} of 3 looked at, all masks alike").wait_for()
    page.get_by_text("No mask of this audit waits for you.").wait_for()
    assert [one.verdict for one in said(library)] == ["reject", "approve", "approve"]
    assert auditing.result(library, auditing.every(library)[0]).good.mean == pytest.approx(2 / 3)


def test_a_mask_is_sent_back_with_a_line_that_its_author_sees(page: Page, app: AppProcess, library: Library) -> None:
    open_queue(page, app, "Not reviewed")
    page.get_by_role("button", name="Send back").wait_for()
    settled(page)
    page.get_by_text("Mark up").last.click()
    board = page.locator("canvas.upper-canvas")
    board.wait_for()
    box = board.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 150, steps=6)
    page.mouse.up()
    page.get_by_text("1 line", exact=True).wait_for()
    page.get_by_text("poor edge").click()
    page.get_by_label("Comment").fill("Too far *left*.")
    page.get_by_label("Comment").press("Tab")
    page.get_by_role("button", name="Send back").click()
    page.get_by_text("Sent back (1)").click()
    page.get_by_text("Too far *left*.").wait_for()
    (kept,) = [one for one in said(library) if one.verdict == "send_back"]
    assert (kept.codes, kept.comment) == (("edge",), "Too far *left*.")
    # The close view shows the mask of 100 pixels and a third of that around it on 560 pixels of the screen.
    mask = reviewing.task(library, kept.mask_id).mask
    (line,) = kept.markup
    side = 100 * 1.7
    x0 = max(0, mask.bbox[0] + 50 - side / 2)
    y0 = max(0, mask.bbox[1] + 50 - side / 2)
    assert line[0] == pytest.approx([x0 + 100 * side / 560, y0 + 100 * side / 560], abs=2)
    assert line[-1] == pytest.approx([x0 + 200 * side / 560, y0 + 150 * side / 560], abs=2)


def test_feedback_tells_the_author_the_weeks_and_commonest_errors(
    page: Page, app: AppProcess, library: Library
) -> None:
    mask_id = reviewing.next_mask(library, "unreviewed")
    assert mask_id is not None
    reviewing.give(library, "poor", reviewing.Verdict(mask_id, "reject", rating=2, codes=("specks",)))
    open_queue(page, app, "Feedback")
    page.get_by_text("Loose pixels: 1 mask").wait_for()
    expect(page.get_by_text(f"Week of {monday_of(datetime.now(UTC)):%Y-%m-%d}")).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(1)


def test_a_fix_opens_the_mask_on_the_workbench_and_the_correction_is_measured(
    page: Page, app: AppProcess, library: Library
) -> None:
    open_queue(page, app, "Not reviewed")
    page.get_by_role("button", name="Fix").wait_for()
    settled(page)
    page.keyboard.press("f")
    bench = Bench(page, app.url)
    bench.until("s.phase === 'ready' && s.has_mask && s.current")
    (kept,) = [one for one in said(library) if one.verdict == "fix"]
    x, y, width, height = reviewing.task(library, kept.mask_id).mask.bbox
    bench.press("b")
    bench.drag((x + width, y + 20), (x + width, y + height - 20))
    bench.press("Enter")
    bench.until("s.unsaved === 0 && !s.has_mask")
    (kept,) = [one for one in said(library) if one.verdict == "fix"]
    assert kept.iou is not None
    assert 0.7 < kept.iou < 1
    assert kept.boundary_iou is not None
    assert kept.boundary_iou < kept.iou


def test_a_skipped_object_is_taken_up_with_its_prompts(page: Page, app: AppProcess) -> None:
    open_queue(page, app, "Hard queue")
    page.get_by_role("button", name="Take it up").click()
    bench = Bench(page, app.url)
    bench.until("s.phase === 'ready' && s.image_id === 5 && s.current && s.has_mask")
    page.get_by_role("status", name="The skipped object is back in work").wait_for()
    page.goto(f"{app.url}/review")
    page.get_by_text("Hard queue (0)").wait_for()


def test_a_skip_that_was_kept_before_states_were_checked_breaks_nobodys_queue(
    page: Page, app: AppProcess, library: Library
) -> None:
    odd = {"object": {"key": "odd", "points": [{"x": 60, "y": 70, "label": 1, "at": 9}], "edits": 5}, "answer": {}}
    kept = {"image_id": 5, "person_id": 1, "reason": "hard", "times": Times()}
    with library.engines.writing() as session:
        for key, state in (("a", {"object": [1]}), ("b", {"object": {"points": 5}}), ("c", odd)):
            skips.insert(key, object_key=key, state=state, session=session, **kept)  # type: ignore[arg-type]
    open_queue(page, app, "Hard queue")
    page.get_by_role("button", name="Take it up").last.click()
    bench = Bench(page, app.url)
    bench.until("s.phase === 'ready' && s.image_id === 5 && s.object.points.length === 1 && s.has_mask")
    for key in "ab":
        page.goto(f"{app.url}/?image=5&skip={key}")
        bench.until("s.phase === 'ready' && s.image_id === 5 && s.skips.length > 0")
    with library.engines.writing() as session:
        for key in "abc":
            skips.take_back(key, session=session)


def test_a_jagged_mask_is_edited_not_deleted_by_the_key_that_mends(
    page: Page, app: AppProcess, library: Library
) -> None:
    with library.engines.reading() as session:
        image = images.get(6, session=session)
    rows, columns = np.mgrid[: image.height, : image.width]
    fray = np.random.default_rng(0).uniform(-3, 3, rows.shape)
    frayed = binary_fill_holes(np.hypot(rows - 120, columns - 120) < 80 + fray)
    parts, _ = label(frayed)
    mask = parts == parts[120, 120]  # one part, without holes
    saved = annotating.accept(library, 6, "jagged", annotating.Accepted(masks.encode(mask), object_key="jagged"))
    assert [flag.name for flag in saved.flags] == ["rough"]
    bench = Bench(page, app.url)
    bench.open(6)
    page.get_by_text("The outline is jagged").wait_for()
    bench.press("g")
    bench.until("s.in_work && s.masks.length === 1")
