"""Pen, touch and keyboard alone do what a mouse does."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, CDPSession

from benchmarks.app_process import AppProcess
from tests.e2e.conftest import Bench, kept, pixels
from tests.e2e.photos import DISK

X, Y, RADIUS = DISK
Place = tuple[float, float]


class Fingers:
    """Touches as the browser gets them from a screen."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.session: CDPSession = bench.page.context.new_cdp_session(bench.page)

    def send(self, kind: str, *places: Place) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def down(self, *places: Place) -> None:
        for count in range(1, len(places) + 1):
            self.send("touchStart", *places[:count])

    def up(self) -> None:
        self.send("touchEnd")

    def drag(self, start: Place, end: Place, steps: int = 6) -> None:
        (ax, ay), (bx, by) = self.bench.at(*start), self.bench.at(*end)
        self.down((ax, ay))
        for step in range(1, steps + 1):
            share = step / steps
            self.send("touchMove", (ax + (bx - ax) * share, ay + (by - ay) * share))
        self.up()


@pytest.fixture
def tablet(browser: Browser, app: AppProcess) -> Iterator[Bench]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, has_touch=True)
    yield Bench(context.new_page(), app.url)
    context.close()


def test_fingers_prompt_box_and_paint(tablet: Bench, image: int) -> None:
    tablet.open(image)
    fingers = Fingers(tablet)
    tablet.prompted(lambda: tablet.page.touchscreen.tap(*tablet.at(X, Y)))
    assert [point["label"] for point in tablet.state()["object"]["points"]] == [1]

    fingers.down(tablet.at(30, 30))
    tablet.until("s.object.points.length === 2 && s.object.points[1].label === 0")
    fingers.up()
    tablet.until("s.current && s.object.points.length === 2")
    tablet.press("Escape")

    tablet.prompted(lambda: fingers.drag((X - 80, Y - 80), (X + 80, Y + 80)))
    box = tablet.state()["object"]["box"]
    assert [box[side] for side in ("x0", "y0", "x1", "y1")] == pytest.approx([X - 80, Y - 80, X + 80, Y + 80], abs=2)
    tablet.press("Escape")

    tablet.press("b")
    fingers.drag((50, 50), (120, 50))
    tablet.until("s.object.edits.length === 1")
    assert pixels(tablet.mask())[50, 51:119].all()


def test_two_fingers_zoom_and_move_and_draw_nothing(tablet: Bench, image: int) -> None:
    tablet.open(image)
    fingers = Fingers(tablet)
    before = tablet.state()["view"]["scale"]
    x, y = tablet.at(X, Y)
    fingers.down((x - 50, y), (x + 50, y))
    for wide in range(60, 160, 10):
        fingers.send("touchMove", (x - wide, y), (x + wide, y))
    fingers.up()
    tablet.until(f"s.view.scale > {2.5 * before}")
    assert not tablet.state()["in_work"]
    # What was between the fingers still is.
    assert tablet.at(X, Y) == pytest.approx((x, y), abs=3)
    tablet.prompted(lambda: tablet.page.touchscreen.tap(x, y))


def test_two_fingers_with_the_brush_begin_no_object(tablet: Bench, image: int) -> None:
    tablet.open(image)
    tablet.press("b")
    tablet.until("s.tool === 'brush'")
    fingers = Fingers(tablet)
    x, y = tablet.at(X, Y)
    fingers.down((x - 50, y), (x + 50, y))
    for wide in range(60, 100, 10):
        fingers.send("touchMove", (x - wide, y), (x + wide, y))
    fingers.up()
    assert not tablet.state()["in_work"]
    assert sum(tablet.state()["times"].values()) == 0


def test_a_pen_prompts_and_its_other_end_erases(bench: Bench, image: int) -> None:
    bench.open(image)
    session = bench.page.context.new_cdp_session(bench.page)
    x, y = bench.at(X, Y)

    def tap() -> None:
        for kind, buttons in (("mousePressed", 1), ("mouseReleased", 0)):
            event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1}
            session.send("Input.dispatchMouseEvent", {**event, "pointerType": "pen"})

    bench.prompted(tap)
    assert pixels(bench.mask())[Y, X]
    # The other end of a pen is button 5, which no automation of a mouse can press.
    bench.stage.evaluate(
        """(stage, [x, y]) => {
          const pen = { pointerId: 7, pointerType: 'pen', isPrimary: true, bubbles: true };
          const say = (kind, dx, button, buttons) =>
            stage.dispatchEvent(new PointerEvent(kind, { ...pen, clientX: x + dx, clientY: y, button, buttons }));
          say('pointerdown', 0, 5, 32);
          say('pointermove', 20, -1, 32);
          say('pointerup', 20, 5, 0);
        }""",
        [x, y],
    )
    bench.until("s.object.edits.length === 1 && s.object.edits[0].kind === 'eraser'")
    assert not pixels(bench.mask())[Y, X]


def test_the_right_button_paints_with_the_other_tool_and_the_middle_one_moves(bench: Bench, image: int) -> None:
    bench.open(image)
    bench.press("b")
    bench.drag((50, 50), (90, 50))
    bench.until("s.object.edits.length === 1")
    bench.page.mouse.move(*bench.at(70, 45))
    bench.page.mouse.down(button="right")
    bench.page.mouse.move(*bench.at(70, 55), steps=4)
    bench.page.mouse.up(button="right")
    bench.until("s.object.edits.length === 2 && s.object.edits[1].kind === 'eraser'")
    assert not pixels(bench.mask())[50, 70]

    view = bench.state()["view"]
    x, y = bench.at(X, Y)
    for button, key in (("middle", None), ("left", " ")):
        if key:
            bench.page.keyboard.down(key)
        bench.page.mouse.move(x, y)
        bench.page.mouse.down(button=button)  # type: ignore[arg-type]
        bench.page.mouse.move(x + 30, y + 12, steps=3)
        bench.page.mouse.up(button=button)  # type: ignore[arg-type]
        if key:
            bench.page.keyboard.up(key)
        bench.until(f"Math.abs(s.view.x - {view['x'] + 30}) < 1 && Math.abs(s.view.y - {view['y'] + 12}) < 1")
        view = bench.state()["view"]
    assert len(bench.state()["object"]["edits"]) == 2


def test_all_of_it_without_a_mouse(bench: Bench, app: AppProcess, image: int) -> None:
    bench.open(image)
    for key in ("ArrowRight", "ArrowLeft"):
        bench.press(key)
    bench.prompted(lambda: bench.press("a"))
    (point,) = bench.state()["object"]["points"]
    assert np.hypot(point["x"] - X, point["y"] - Y) < RADIUS
    for _ in range(3):
        bench.press("Shift+ArrowLeft")
    bench.prompted(lambda: bench.press("q"))
    assert [one["label"] for one in bench.state()["object"]["points"]] == [1, 0]
    bench.press("Escape")
    bench.until("!s.in_work")
    bench.press("u")
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown"):
        bench.press(key)
    bench.prompted(lambda: bench.press("u"))
    assert bench.state()["object"]["box"]["x1"] > bench.state()["object"]["box"]["x0"]
    bench.press("b")
    bench.press("a")
    bench.press("Shift+ArrowDown")
    bench.press("Shift+a")
    bench.until("s.object.edits.length === 2")
    bench.press("v")
    seen = pixels(bench.mask())
    bench.accept()
    (saved,) = kept(app, image)["mask_list"]
    assert np.array_equal(pixels(saved["rle"]), seen)
    bench.press(".")
    bench.until("s.selected !== null")
    bench.press("Delete")
    bench.until("s.masks.length === 0 && s.unsaved === 0")
