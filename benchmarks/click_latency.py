"""From pointer event to painted mask, in Chromium, on this machine.

The browser itself measures: from the event's time stamp to the task after the frame that shows the mask.
Half of the clicks begin an object, half refine one; before an object begins, the pointer rests until the preview is
painted, as a hand does that looks first. Hovering is counted while the pointer keeps moving.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks import chromium
from benchmarks.app_process import AppProcess
from benchmarks.photos import fill_library

PHOTOS = 10
MODELS = ("starter", "grabcut", "tiny-random")
POLLING_MS = 25
"""Asking in every frame, as the driver does unless told, would keep the browser drawing while the server computes."""


def main() -> None:
    """Measure every model and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--clicks", type=int, default=20, help="per photo")
    parser.add_argument("--models", nargs="+", default=MODELS)
    arguments = parser.parse_args()
    results = {model: measure(model, arguments.clicks) for model in arguments.models}
    show(results, as_json=arguments.json)


def show(results: dict[str, dict[str, Any]], *, as_json: bool) -> None:
    """Print each model's figures, then one JSON object: the first model's, and those of the others by name."""
    if not as_json:
        for model, result in results.items():
            sys.stdout.write(f"{model}: {result}\n")
    first, *others = results
    report = {**results[first], "model": first, **{model: results[model] for model in others}}
    sys.stdout.write(json.dumps(report) + "\n")


def measure(model: str, clicks: int) -> dict[str, Any]:
    """Return the figures of one model."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        fill_library(data, PHOTOS)
        with AppProcess(data, {"MASKSMITH_MODEL": model}) as app, sync_playwright() as playwright:
            browser = chromium.launch(playwright)
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            chromium.open_workbench(page, app.url)
            times, hovers = [], []
            for number in range(PHOTOS):
                times += click_around(page, clicks, seed=number)
                hovers.append(hover_around(page))
                if number < PHOTOS - 1:
                    next_photo(page)
            browser.close()
    return {
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
        "hover_per_s": round(statistics.median(hovers), 1),
        "clicks": len(times),
        "photos": PHOTOS,
    }


def click_around(page: Page, clicks: int, seed: int) -> list[float]:
    """Click at random places, clearing the object after every second click; return the milliseconds of each."""
    rng = np.random.default_rng(seed)
    before = len(page.evaluate("window.__masksmith.timings().clicks"))
    for number in range(clicks):
        x, y = rng.uniform(150, 1350), rng.uniform(100, 900)
        place = page.evaluate(f"window.__masksmith.toClient({x}, {y})")
        seen = page.evaluate("window.__masksmith.hovers()")
        page.mouse.move(place["x"], place["y"])
        if number % 2 == 0:
            page.wait_for_function(f"window.__masksmith.hovers() > {seen}", polling=POLLING_MS)
        page.mouse.click(place["x"], place["y"])
        page.wait_for_function(
            "window.__masksmith.state().current && "
            f"window.__masksmith.timings().clicks.length >= {before + number + 1}",
            polling=POLLING_MS,
        )
        if number % 2:
            page.keyboard.press("Escape")
            page.wait_for_function("!window.__masksmith.state().has_mask", polling=POLLING_MS)
    times: list[float] = page.evaluate("window.__masksmith.timings().clicks")
    if clicks % 2:
        page.keyboard.press("Escape")
    return times[before:]


def hover_around(page: Page) -> float:
    """Move the pointer for two seconds and return how many previews a second were painted."""
    path = """async () => {
      const root = document.elementFromPoint(600, 400);
      const target = root.shadowRoot?.elementFromPoint(600, 400) ?? root;
      const before = window.__masksmith.hovers(), begun = performance.now();
      while (performance.now() - begun < 2000) {
        const t = (performance.now() - begun) / 300;
        const [clientX, clientY] = [600 + 180 * Math.cos(t), 400 + 140 * Math.sin(t)];
        target.dispatchEvent(new PointerEvent("pointermove",
          {clientX, clientY, bubbles: true, composed: true, pointerType: "mouse", isPrimary: true}));
        await new Promise((done) => requestAnimationFrame(done));
      }
      return 1000 * (window.__masksmith.hovers() - before) / (performance.now() - begun);
    }"""
    return float(page.evaluate(path))


def next_photo(page: Page) -> None:
    """Go to the next photo and wait until it is ready."""
    before = page.evaluate("window.__masksmith.state().image_id")
    page.keyboard.press("n")
    page.wait_for_function(
        f"(() => {{ const s = window.__masksmith.state(); return s.image_id !== {before} && s.phase === 'ready'; }})()",
        timeout=60_000,
    )


if __name__ == "__main__":
    main()
