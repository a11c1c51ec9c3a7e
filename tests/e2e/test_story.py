"""The whole story in real Chromium: a poor mask is flagged, sent back, mended, and found good by an audit."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.app_process import AppProcess
from core import auditing
from core.segmentation.catalogue import GRABCUT
from core.workshop import Library, open_library
from storage import masks, reviews
from tests.conftest import settings_of
from tests.e2e.conftest import Bench, settled
from tests.e2e.test_sign_in import put_team, sign_in


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """An app with a team: owner, anna the annotator, rita the reviewer."""
    data = tmp_path_factory.mktemp("story") / "data"
    with AppProcess(data, {"MASKSMITH_MODEL": GRABCUT}) as running:
        put_team(data)
        yield running


@pytest.fixture
def library(app: AppProcess) -> Iterator[Library]:
    opened = open_library(settings_of(app.data), samples=False)
    yield opened
    opened.close()


def paint(bench: Bench, start: tuple[float, float], end: tuple[float, float]) -> None:
    bench.press("b")
    bench.drag(start, end)
    bench.until("s.has_mask")


def test_a_poor_mask_comes_back_mended(page: Page, browser: Browser, app: AppProcess, library: Library) -> None:
    # Anna accepts a mask with a loose dot; a check says so, and she leaves it.
    page.goto(f"{app.url}/?image=1")
    sign_in(page, "anna")
    bench = Bench(page, app.url)
    bench.until("s.phase === 'ready'")
    paint(bench, (200, 200), (320, 200))
    while bench.state()["brush_size"] > 6:
        bench.press("[")
    bench.click(120, 320)
    first = bench.accept()["mask_id"]
    with library.engines.reading() as session:
        assert [flag.name for flag in masks.get(first, session=session).flags] == ["islands"]

    # Rita finds it among the flagged ones, draws where it is wrong, and sends it back.
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    desk = context.new_page()
    desk.goto(f"{app.url}/review")
    sign_in(desk, "rita")
    desk.get_by_text("Flagged (1)").click()
    desk.get_by_role("button", name="Send back").wait_for()
    settled(desk)
    desk.get_by_text("Mark up").last.click()
    board = desk.locator("canvas.upper-canvas")
    board.wait_for()
    box = board.bounding_box()
    assert box is not None
    desk.mouse.move(box["x"] + 60, box["y"] + 60)
    desk.mouse.down()
    desk.mouse.move(box["x"] + 160, box["y"] + 90, steps=6)
    desk.mouse.up()
    desk.get_by_text("1 line", exact=True).wait_for()
    desk.get_by_text("loose pixels").click()
    desk.get_by_label("Comment").fill("What is the dot?")
    desk.get_by_label("Comment").press("Tab")
    settled(desk)
    desk.get_by_role("button", name="Send back").click()
    desk.get_by_text("Sent back (1)").wait_for()

    # It comes first in Anna's own list, with what Rita said and drew; she mends it.
    page.goto(f"{app.url}/own")
    page.get_by_text("What is the dot?").wait_for()
    expect(page.get_by_text("loose pixels")).to_be_visible()
    page.get_by_role("button", name="Mend it").click()
    bench.until("s.phase === 'ready' && s.has_mask && s.current")
    bench.press("d")
    while bench.state()["brush_size"] < 20:
        bench.press("]")
    bench.drag((100, 320), (140, 320))
    bench.press("Enter")
    bench.until("s.unsaved === 0 && !s.has_mask")
    with library.engines.reading() as session:
        mended = masks.heir(first, session=session)
        assert mended != first
        assert [flag.name for flag in masks.get(mended, session=session).flags] == []
        assert [one.verdict for one in reviews.of_masks([first], session=session)[first]] == ["send_back"]
    page.goto(f"{app.url}/own")
    page.get_by_text("No mask was sent back").wait_for()

    # An audit draws the mended mask, Rita approves it, and the audit reports it.
    desk.goto(f"{app.url}/review")
    desk.get_by_role("button", name="New audit").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Masks", exact=True).fill("1")
    dialog.get_by_label("Masks", exact=True).press("Tab")
    dialog.get_by_role("button", name="Draw", exact=True).click()
    desk.get_by_text("0 of 1 looked at").wait_for()
    settled(desk)
    desk.keyboard.press("a")
    desk.get_by_text("1 of 1 looked at").wait_for()
    expect(desk.get_by_text("100% of masks ≥ 0.9 IoU")).to_be_visible()
    assert auditing.result(library, auditing.every(library)[0]).good.mean == 1
    context.close()
