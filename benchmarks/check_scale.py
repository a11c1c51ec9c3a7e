"""Going over a large library with every check, and how soon the review queues open in it."""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from benchmarks import chromium
from benchmarks.app_process import AppProcess
from benchmarks.crowd import open_crowd
from benchmarks.timing import median_ms
from core import reviewing
from core.checking import check_library
from core.crew.chosen import crew_of
from core.crew.protocol import Crew
from core.workshop import Library

MEBIBYTE = 1024 * 1024
PER_IMAGE = 36
EARLY = 50
ROUNDS = 10
OPENS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only (it prints nothing else)")
    parser.add_argument("--masks", type=int, default=100_000)
    parser.add_argument("--no-check", action="store_true", help="time the queues alone")
    parser.add_argument("--no-page", action="store_true", help="open no browser")
    parser.add_argument("--workers", type=int, default=1, help="processes that check; 1: this one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        library = open_crowd(data, arguments.masks, per_image=PER_IMAGE)
        report = {"masks": arguments.masks, **queues(library)}
        if not arguments.no_check:
            with crew_of(replace(library.settings, workers=arguments.workers)) as crew:
                report |= {"workers": arguments.workers, **check(library, crew)}
            report |= {f"{name}_flagged": value for name, value in queues(library).items()}
        library.close()
        if not arguments.no_page:
            report |= page(data)
    sys.stdout.write(json.dumps(report) + "\n")


def check(library: Library, crew: Crew) -> dict[str, float]:
    """Check everything once; return masks a second, and the process's memory early and at its most."""
    process, seen = psutil.Process(), list[float]()

    def look(_done: int, _total: int) -> None:
        seen.append(process.memory_info().rss / MEBIBYTE)

    begun = time.perf_counter()
    report = check_library(library, progress=look, crew=crew)
    elapsed = time.perf_counter() - begun
    return {
        "masks_per_s": round(report.masks / elapsed, 1),
        "flags": report.added,
        "early_mib": round(seen[min(EARLY, len(seen)) - 1]),
        "peak_mib": round(max(seen)),
    }


def queues(library: Library) -> dict[str, float]:
    """Return the milliseconds of what the Review page asks before it draws, medians."""

    def first(queue: reviewing.Queue) -> Callable[[], object]:
        def ask() -> object:
            found = reviewing.next_mask(library, queue)
            return found and reviewing.task(library, found)

        return ask

    return {
        "counts_ms": median_ms(lambda: reviewing.waiting(library), ROUNDS),
        "flagged_ms": median_ms(first("flagged"), ROUNDS),
        "unreviewed_ms": median_ms(first("unreviewed"), ROUNDS),
    }


def page(data: Path) -> dict[str, float]:
    """Return the milliseconds from a click on a queue's name to its first mask on the page, in Chromium, median."""
    times = []
    with AppProcess(data, {"MASKSMITH_MODEL": "grabcut"}) as app, sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        opened = browser.new_page(viewport={"width": 1280, "height": 720})
        opened.goto(f"{app.url}/review")
        for _ in range(OPENS):
            opened.get_by_role("radio", name="Hard queue").click()
            opened.get_by_text("No skipped object waits.").wait_for()
            begun = time.perf_counter()
            opened.get_by_role("radio", name="Not reviewed").click()
            opened.get_by_role("button", name="Approve").wait_for()
            times.append((time.perf_counter() - begun) * 1e3)
        browser.close()
    return {"page_ms": round(statistics.median(times), 1)}


if __name__ == "__main__":
    main()
