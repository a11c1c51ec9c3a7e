"""How near a segmenter comes to true masks, click by click, on a folder of photos with masks.

The standard protocol of interactive segmentation: the first click at the centre of the object, each next one at
the centre of the largest error of the best-scored mask (Sofiiuk, Petrov and Konushin, arXiv 2102.06583). The folder
holds `manifest.csv` with the columns id, image and mask; masks are 255 on the object and 128 where it is unsure.
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.segmentation.catalogue import DEFAULT, SegmenterSpec, load_segmenter
from core.segmentation.protocol import Mask, Point, Prompt, RgbImage, Segmenter


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only (it prints nothing else)")
    parser.add_argument("--dataset", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--clicks", type=int, default=5)
    parser.add_argument("--objects", type=int, default=60, help="chosen at random, always the same")
    arguments = parser.parse_args()
    segmenter = load_segmenter(SegmenterSpec(arguments.model))
    runs = [follow(segmenter, *example, arguments.clicks) for example in examples(arguments.dataset, arguments.objects)]
    best, best3, times = (np.array(values) for values in zip(*runs, strict=True))
    report = {
        "model": segmenter.name,
        "objects": len(runs),
        "iou": [round(float(value), 3) for value in best.mean(axis=0)],
        "best_of_three": [round(float(value), 3) for value in best3.mean(axis=0)],
        "decode_p50_ms": round(float(np.percentile(times, 50)), 1),
        "decode_p95_ms": round(float(np.percentile(times, 95)), 1),
    }
    sys.stdout.write(json.dumps(report) + "\n")


def examples(folder: Path, count: int) -> Iterator[tuple[RgbImage, Mask, Mask]]:
    """Yield (photo, object, unsure pixels) of objects of at least 100 pixels."""
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for index in np.random.default_rng(0).permutation(len(rows))[:count]:
        with Image.open(folder / rows[index]["image"]) as photo, Image.open(folder / rows[index]["mask"]) as drawn:
            image, mask = np.asarray(photo.convert("RGB")), np.asarray(drawn.convert("L"))
        if int((mask == 255).sum()) >= 100:
            yield image, mask == 255, mask == 128


def follow(
    segmenter: Segmenter, image: RgbImage, truth: Mask, unsure: Mask, clicks: int
) -> tuple[list[float], list[float], list[float]]:
    """Return after each click the IoU of the best-scored mask, the best IoU of the three, and milliseconds."""
    embedding = segmenter.encode(image)
    points: list[Point] = []
    current, refine = np.zeros(truth.shape, bool), None
    best, best3, times = [], [], []
    for _ in range(clicks):
        points.append(next_click(current, truth, unsure))
        begun = time.perf_counter()
        found = segmenter.decode(embedding, Prompt(tuple(points)), refine=refine)
        masks = [candidate.mask() for candidate in found]
        times.append((time.perf_counter() - begun) * 1e3)
        values = [iou(mask, truth, unsure) for mask in masks]
        best.append(values[0])
        best3.append(max(values))
        current, refine = masks[0], found[0].low_res
    return best, best3, times


def next_click(current: Mask, truth: Mask, unsure: Mask) -> Point:
    """Return the point deepest inside what is missing or what is too much, whichever is deeper."""
    missing, too_much = _deepest(truth & ~current & ~unsure), _deepest(current & ~truth & ~unsure)
    if missing[0] >= too_much[0]:
        return Point(missing[1] + 0.5, missing[2] + 0.5, 1)
    return Point(too_much[1] + 0.5, too_much[2] + 0.5, 0)


def _deepest(area: Mask) -> tuple[float, int, int]:
    padded: NDArray[np.uint8] = np.pad(area.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(depth[row, column]), int(column), int(row)


def iou(mask: Mask, truth: Mask, unsure: Mask) -> float:
    """Return the intersection over union of two masks where it is known what is object."""
    union = int(((mask | truth) & ~unsure).sum())
    return int((mask & truth & ~unsure).sum()) / union if union else 1.0


if __name__ == "__main__":
    main()
