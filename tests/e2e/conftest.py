"""The real app in a process of its own, and real Chromium in front of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page

from benchmarks import chromium
from benchmarks.app_process import AppProcess
from core import masks
from core.segmentation.catalogue import GRABCUT
from core.settings import Settings
from core.workshop import Library, open_library
from tests.browser import running_chromium
from tests.e2e.photos import put_in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as end to end."""
    for item in items:
        if Path(__file__).parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """The app with the sample photos, shared by all browser tests; each takes an image of its own.

    GrabCut answers: what is seen here is the canvas, whatever the weights of the day.
    """
    with AppProcess(tmp_path_factory.mktemp("app") / "data", {"MASKSMITH_MODEL": GRABCUT}) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with running_chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a fresh profile; an error in its script fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme="dark")
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


def settled(page: Page) -> None:
    """Wait until the page has run to its end: what is pressed before still speaks of what was shown."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def outline(page: Page, corners: list[tuple[float, float]], width: int) -> None:
    """Outline an object by hand: click its corners, in pixels of a photo so wide, and the first one again."""
    canvas = page.locator("canvas.upper-canvas")
    canvas.wait_for()
    box = canvas.bounding_box()
    assert box is not None
    scale = box["width"] / width
    for x, y in [*corners, corners[0]]:
        page.mouse.move(box["x"] + x * scale - 3, box["y"] + y * scale - 3)
        page.mouse.click(box["x"] + x * scale, box["y"] + y * scale, delay=30)
    page.get_by_text("1 path").wait_for()


class Bench:
    """The workbench as a person uses it: by pointer and keys, in image pixels."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self, image_id: int) -> None:
        chromium.open_workbench(self.page, self.url, image_id)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate("window.__masksmith.state()")
        return found

    def mask(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.page.evaluate("window.__masksmith.mask()")
        return found

    def until(self, condition: str, timeout_s: float = 20.0) -> None:
        """Wait until a JavaScript condition on the state `s` holds."""
        self.page.wait_for_function(
            f"(() => {{ const s = window.__masksmith?.state(); return s && ({condition}); }})()",
            timeout=timeout_s * 1000,
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        place = self.page.evaluate(f"window.__masksmith.toClient({x}, {y})")
        return place["x"], place["y"]

    def click(self, x: float, y: float, button: str = "left") -> None:
        self.page.mouse.click(*self.at(x, y), button=button)  # type: ignore[arg-type]

    def prompted(self, action: Callable[[], None]) -> None:
        """Do something that prompts, and wait for the mask that answers it."""
        action()
        self.until("s.current && s.has_mask")

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=steps)
        self.page.mouse.up()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def accept(self) -> dict[str, Any]:
        """Accept the object, and return the mask once the server has it."""
        self.until("s.current && s.has_mask")
        count = len(self.state()["masks"])
        self.press("Enter")
        self.until(f"s.masks.length === {count + 1} && s.unsaved === 0 && s.masks.every((mask) => mask.mask_id)")
        found: dict[str, Any] = self.state()["masks"][-1]
        return found

    @property
    def stage(self) -> Locator:
        return self.page.locator(".stage")

    def shown(self, layer: str = "mask") -> np.ndarray:
        """Return the pixels that a layer of the stage really shows."""
        bits, width, height = self.page.locator(f".stage canvas.{layer}").evaluate(
            """(canvas) => {
              const { width, height } = canvas;
              const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
              let bits = '';
              for (let i = 3; i < data.length; i += 4) bits += data[i] ? '1' : '0';
              return [bits, width, height];
            }"""
        )
        return (np.frombuffer(bits.encode(), np.uint8) == ord("1")).reshape(height, width)


@pytest.fixture
def bench(page: Page, app: AppProcess) -> Bench:
    return Bench(page, app.url)


@pytest.fixture
def library(app: AppProcess) -> Iterator[Library]:
    """The app's own library, opened beside it."""
    opened = open_library(Settings(data=app.data, database_url=f"sqlite:///{app.data / 'masksmith.db'}"), samples=False)
    yield opened
    opened.close()


@pytest.fixture
def image(app: AppProcess, library: Library, request: pytest.FixtureRequest) -> int:
    """A photo that no other test works on: a bright disk on dull noise."""
    return put_in(app, library, f"{request.node.name}.png")


def pixels(rle: dict[str, Any] | None) -> np.ndarray:
    """Return a mask's pixels."""
    assert rle is not None
    return masks.decode({"size": rle["size"], "counts": rle["counts"]})


def kept(app: AppProcess, image_id: int) -> dict[str, Any]:
    """Return what the server keeps of an image."""
    found: dict[str, Any] = httpx.get(f"{app.url}/api/images/{image_id}").json()
    return found
