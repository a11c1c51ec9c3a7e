"""The real app in a process of its own, and real Chromium in front of it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import chromium
from benchmarks.app_process import AppProcess


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as end to end."""
    for item in items:
        if Path(__file__).parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """The app with the sample photos, shared by all browser tests; each takes an image of its own."""
    with AppProcess(tmp_path_factory.mktemp("app") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if chromium.path() is None:
        reason = "browser tests need Chromium (Debian's package chromium), and there is none on the PATH"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        running = chromium.launch(playwright)
        yield running
        running.close()


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


@pytest.fixture
def bench(page: Page, app: AppProcess) -> Bench:
    return Bench(page, app.url)
