"""Real Chromium for tests, and what to do where there is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EXECUTABLE = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium; skip the test where it is missing, or fail it where CI is set.

    Playwright allows one of these at a time in a thread, so fixtures around it must end with their folder.
    """
    if not os.access(EXECUTABLE, os.X_OK):
        reason = f"browser tests need Chromium at {EXECUTABLE} (or where CHROMIUM says), and there is none"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield browser
        browser.close()
