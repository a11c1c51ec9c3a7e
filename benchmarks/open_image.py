"""From "next" to ready, with the next image encoded ahead; encoding cold; memory of the server after many images.

The browser measures opening: from the key's event to the task after the frame that shows the photo ready.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from playwright.sync_api import sync_playwright

from benchmarks import chromium
from benchmarks.app_process import AppProcess
from benchmarks.click_latency import MODELS, next_photo, show
from benchmarks.photos import fill_library

MEBIBYTE = 1024 * 1024


def main() -> None:
    """Measure every model and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--images", type=int, default=200, help="opened for the memory figure")
    parser.add_argument("--opens", type=int, default=20, help="timed in the browser")
    parser.add_argument("--models", nargs="+", default=MODELS)
    arguments = parser.parse_args()
    results = {model: measure(model, arguments.images, arguments.opens) for model in arguments.models}
    show(results, as_json=arguments.json)


def measure(model: str, images: int, opens: int) -> dict[str, Any]:
    """Return the figures of one model."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        fill_library(data, images)
        with AppProcess(data, {"MASKSMITH_MODEL": model}) as app:
            times = open_in_browser(app, opens)
            cold, memory = open_all(app, images)
    return {
        "p50_ms": round(statistics.median(times), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
        "encode_cold_ms": round(cold, 1),
        "server_mib": round(memory),
        "images": images,
    }


def open_in_browser(app: AppProcess, opens: int) -> list[float]:
    """Go from photo to photo, each once it is ready; return the milliseconds of each opening."""
    with sync_playwright() as playwright, httpx.Client(base_url=app.url, timeout=60.0) as client:
        browser = chromium.launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        chromium.open_workbench(page, app.url)
        before = len(page.evaluate("window.__masksmith.timings().opens"))
        for _ in range(opens):
            here = page.evaluate("window.__masksmith.state().image_id")
            wait_until_ready(client, here)
            next_photo(page)
            page.wait_for_function(f"window.__masksmith.timings().opens.length > {before}")
        times: list[float] = page.evaluate("window.__masksmith.timings().opens")
        browser.close()
    return times[before:]


def wait_until_ready(client: httpx.Client, image_id: int) -> None:
    """Wait until the image after this one is encoded."""
    for _ in range(2000):
        (following,) = client.get("/api/images", params={"after": image_id, "limit": 1}).json()["images"]
        if following["embedding"] == "ready":
            return
    raise RuntimeError(f"the image after {image_id} must get ready in the background, but did not")


def open_all(app: AppProcess, images: int) -> tuple[float, float]:
    """Open every image once; return the median milliseconds of a cold encoding and the server's MiB at the end."""
    cold = []
    with httpx.Client(base_url=app.url, timeout=120.0) as client:
        found = client.get("/api/images", params={"limit": 500}).json()["images"][:images]
        for image in reversed(found):
            state = client.get(f"/api/images/{image['id']}").json()["embedding"]
            answer = client.post(f"/api/images/{image['id']}/open", json={"next": []}).json()
            if state != "ready" or answer["elapsed_ms"] > 1:
                cold.append(answer["elapsed_ms"])
    return statistics.median(cold), psutil.Process(app.pid).memory_info().rss / MEBIBYTE


if __name__ == "__main__":
    main()
