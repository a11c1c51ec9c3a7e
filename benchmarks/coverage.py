"""What a survey of a photo costs with the starter, on the sample photos at 1,500 px."""

import argparse
import json
import statistics
import sys
import time

import cv2
import numpy as np
import skimage.data
import torch

from core.quality.coverage import survey
from core.segmentation.catalogue import DEFAULT, SegmenterSpec, load_segmenter
from core.segmentation.proposing import plan_of, proposals

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
SIDE = 1500


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    segmenter = load_segmenter(SegmenterSpec(DEFAULT, device="cpu"))
    plan = plan_of(segmenter)
    times: list[float] = []
    worked: list[float] = []
    left: dict[str, int] = {}
    for turn in range(arguments.rounds + 1):
        for name in PHOTOS:
            photo = _photo(name)
            begun, before = time.perf_counter(), time.process_time()
            found = survey(proposals(segmenter, photo, segmenter.encode(photo), (), plan), (), plan.limits)
            if turn:  # the first turn warms up
                times.append(time.perf_counter() - begun)
                worked.append(time.process_time() - before)
            left[name] = len(found.left)
    median = statistics.median(times)
    report = {
        "threads": torch.get_num_threads(),
        "images": len(times),
        "median_s": round(median, 3),
        "p95_s": round(float(np.percentile(times, 95)), 3),
        "median_cpu_s": round(statistics.median(worked), 3),
        "images_per_minute": round(60 / statistics.mean(times), 1),
        "left": left,
    }
    sys.stdout.write(json.dumps(report) + "\n")


def _photo(name: str) -> np.ndarray:
    picture = getattr(skimage.data, name)()
    scale = SIDE / max(picture.shape[:2])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC))


if __name__ == "__main__":
    main()
