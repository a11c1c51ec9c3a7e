"""The whole loop, by a robot through HTTP: annotate, retrain, promote, annotate new photos, roll back.

The photos show one peculiar kind of object that the starter was never told of (`benchmarks.targets`). The robot follows
the click protocol: a click where the mask is most wrong, until it is good; what never gets good it paints. Clicks are
counted on new photos, the same ones before and after. While the model learns, a second hand keeps clicking.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.app_process import AppProcess
from benchmarks.targets import TargetPhoto, target_photo
from core import masks
from core.importing import import_bytes
from core.projects import change_settings
from core.settings import Settings
from core.statistics import intervals
from core.training.protocol import iou, next_click
from core.workshop import open_library

GOOD: Final = 0.85
MOST_CLICKS: Final = 8
NEW_SEED: Final = 10_000
IDLE_CLICKS: Final = 40
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Done:
    """What an object took: clicks, whether its mask got good, the mask, and where was clicked."""

    clicks: int
    good: bool
    mask: Mask
    points: list[list[float]]


def main() -> None:
    """Run the loop and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--photos", type=int, default=24, help="to annotate and learn from")
    parser.add_argument("--new", type=int, default=10, help="photos to count clicks on")
    arguments = parser.parse_args()
    report = run(arguments.photos, arguments.new)
    if not arguments.json:
        for name, value in report.items():
            sys.stdout.write(f"{name}: {value}\n")
    sys.stdout.write(json.dumps(report) + "\n")


def run(photos: int, new: int) -> dict[str, Any]:
    """Return the figures of one loop."""
    made = [target_photo(seed) for seed in range(photos)] + [target_photo(NEW_SEED + seed) for seed in range(new)]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        fill(data, made)
        with AppProcess(data, {"MASKSMITH_MODEL": ""}) as app, httpx.Client(base_url=app.url, timeout=120) as client:
            robot = Robot(client)
            for image_id, photo in enumerate(made[:photos], start=1):
                robot.annotate(image_id, photo)
            fresh = list(enumerate(made[photos:], start=photos + 1))
            before = [robot.prompt_all(image_id, photo) for image_id, photo in fresh]
            fixed = robot.fixed_answers(fresh)
            idle = robot.click_about(fresh, lambda count: count < IDLE_CLICKS)
            begun = time.monotonic()
            assert client.post("/api/retrainings").status_code == 202
            busy = robot.click_about(fresh, lambda _count: robot.learns())
            job = client.get("/api/retrainings/newest").json()
            seconds = time.monotonic() - begun
            if job["state"] != "done":
                raise RuntimeError(f"the retraining ended {job['state']}: {job['message']}")
            version = client.get("/api/models").json()["versions"][0]
            report: dict[str, Any] = {
                "masks": photos * len(made[0].masks),
                "retrain_s": round(seconds, 1),
                "epochs": len(job["progress"]["history"]),
                "verdict": version["verdict"],
                "saving": version["saving"],
                "forgetting": {name: version["forgetting"]["differences"][name] for name in ("iou_at_1", "iou_at_5")},
            }
            report["promoted"] = client.post(f"/api/models/{version['id']}/promote").status_code == 200
            if report["promoted"]:
                after = [robot.prompt_all(image_id, photo) for image_id, photo in fresh]
                report |= compared(before, after)
                client.post("/api/models/roll-back").raise_for_status()
            report["rolled_back_bit_identical"] = robot.fixed_answers(fresh) == fixed
            report |= {
                "click_ms_idle_p50": round(statistics.median(idle), 1),
                "click_ms_idle_p95": round(float(np.percentile(idle, 95)), 1),
                "click_ms_learning_p50": round(statistics.median(busy), 1),
                "click_ms_learning_p95": round(float(np.percentile(busy, 95)), 1),
            }
            return report


def fill(data: Path, photos: list[TargetPhoto]) -> None:
    """Make a library of these photos, in their order."""
    library = open_library(Settings(data=data, database_url=f"sqlite:///{data / 'masksmith.db'}"), samples=False)
    uploads = []
    for number, photo in enumerate(photos):
        buffer = BytesIO()
        Image.fromarray(photo.image).save(buffer, "PNG")
        uploads.append((f"{number}.png", buffer.getvalue()))
    change_settings(library, {"blur": False})  # nobody is on them
    report = import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)
    library.close()
    assert report.imported == len(photos)


class Robot:
    """Annotates by the click protocol through the API."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def annotate(self, image_id: int, photo: TargetPhoto) -> None:
        """Prompt and accept each object of a photo; a mask that never gets good is painted right."""
        for number, done in enumerate(self.prompt_all(image_id, photo)):
            mask = done.mask if done.good else photo.masks[number]
            prompts = [
                {"kind": "point", "x": x, "y": y, "label": label, "at_ms": 1500 * (click + 1)}
                for click, (x, y, label) in enumerate(done.points)
            ]
            body = {
                "rle": masks.encode(mask),
                "object_key": f"robot-{image_id}-{number}",
                "prompts": prompts,
                "edited": not done.good,
            }
            answer = self.client.post(
                f"/api/images/{image_id}/masks", json=body, headers={"Idempotency-Key": f"robot-{image_id}-{number}"}
            )
            answer.raise_for_status()

    def prompt_all(self, image_id: int, photo: TargetPhoto) -> list[Done]:
        """Prompt each object of a photo, and accept nothing."""
        return [self.prompt(image_id, truth) for truth in photo.masks]

    def prompt(self, image_id: int, truth: Mask) -> Done:
        """Click until the best mask is good, or often enough."""
        unsure, current = np.zeros_like(truth), np.zeros_like(truth)
        points: list[list[float]] = []
        given: list[Any] = []
        refine = None
        while len(points) < MOST_CLICKS:
            point = next_click(current, truth, unsure, given)
            if point is None:
                break
            given.append(point)
            points.append([point.x, point.y, point.label])
            best = self.ask(image_id, points, refine)
            current, refine = masks.decode(best["rle"]), best["token"]
            if iou(current, truth, unsure) >= GOOD:
                return Done(len(points), True, current, points)
        return Done(MOST_CLICKS, False, current, points)

    def ask(self, image_id: int, points: list[list[float]], refine: str | None) -> dict[str, Any]:
        """Return the best candidate, as the canvas asks for it."""
        body = {"points": points, "refine": refine, "lazy": True}
        answer = self.client.post(f"/api/images/{image_id}/prompt", json=body)
        answer.raise_for_status()
        best: dict[str, Any] = answer.json()["candidates"][0]
        return best

    def fixed_answers(self, photos: list[tuple[int, TargetPhoto]]) -> list[str]:
        """Return what a click in the middle of each photo gets."""
        answers = (self.ask(image_id, [[320, 240, 1]], None) for image_id, _ in photos)
        return [json.dumps([answer["rle"], answer["predicted_iou"]]) for answer in answers]

    def learns(self) -> bool:
        """Return whether a retraining is at work."""
        return self.client.get("/api/retrainings/newest").json()["state"] in ("queued", "running")

    def click_about(self, photos: list[tuple[int, TargetPhoto]], go_on: Callable[[int], bool]) -> list[float]:
        """Click on one photo after the other, a second apart as a person does; return milliseconds of each click."""
        times: list[float] = []
        rng = np.random.default_rng(0)
        while go_on(len(times)):
            image_id = photos[len(times) % len(photos)][0]
            points = [[float(rng.uniform(50, 590)), float(rng.uniform(50, 430)), 1]]
            begun = time.perf_counter()
            self.ask(image_id, points, None)
            times.append((time.perf_counter() - begun) * 1e3)
            time.sleep(1)
        return times


def compared(before: list[list[Done]], after: list[list[Done]]) -> dict[str, Any]:
    """Return clicks a mask before and after, and their difference with a 95 % interval over photos."""
    old, new = (np.array([[one.clicks for one in objects] for objects in done], float) for done in (before, after))
    photos = np.repeat(np.arange(len(old)), old.shape[1]).astype(str)
    (saved,) = intervals((old - new).reshape(-1, 1), photos.tolist(), seed=0)
    failed = [float(np.mean([not one.good for objects in done for one in objects])) for done in (before, after)]
    return {
        "clicks_before": round(float(old.mean()), 3),
        "clicks_after": round(float(new.mean()), 3),
        "clicks_saved": [round(value, 3) for value in (saved.mean, saved.low, saved.high)],
        "painted_before": round(failed[0], 3),
        "painted_after": round(failed[1], 3),
    }


if __name__ == "__main__":
    main()
