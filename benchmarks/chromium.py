"""Debian's Chromium, headless, as tests and benchmarks drive it."""

import shutil
from typing import Final

from playwright.sync_api import Browser, Page, Playwright

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def path() -> str | None:
    """Return where Chromium is, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def launch(playwright: Playwright) -> Browser:
    """Return a running Chromium.

    Raises
    ------
    RuntimeError
        If there is none on this machine.
    """
    found = path()
    if found is None:
        raise RuntimeError("Chromium must be installed (Debian's package chromium), but is not on the PATH")
    return playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))


def open_workbench(page: Page, url: str, image_id: int | None = None) -> None:
    """Open the workbench, at an image if one is given, and wait until prompts can be answered."""
    page.goto(f"{url}/?image={image_id}" if image_id else url)
    page.wait_for_function("window.__masksmith && window.__masksmith.state().phase === 'ready'", timeout=60_000)
