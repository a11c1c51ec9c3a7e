"""Real Chromium for tests, and what to do where there is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from benchmarks import chromium


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run Chromium; skip the test where it is missing, or fail it where CI is set.

    Playwright allows one of these at a time in a thread, so fixtures around it must end with their folder.
    """
    if chromium.path() is None:
        reason = "browser tests need Chromium (Debian's package chromium), and there is none on the PATH"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        yield browser
        browser.close()
