"""What the starter's answers cost, beside a ViT of ten million parameters and the same input size, in one run."""

import argparse
import json
import statistics
import sys

import cv2
import numpy as np
import skimage.data
import torch

from benchmarks.decode import timed
from core.segmentation.catalogue import STARTER_WEIGHTS
from core.segmentation.protocol import Candidate, Embedding, Point, Prompt, Segmenter
from core.segmentation.sam import SamSegmenter
from core.segmentation.starter import load_starter
from core.segmentation.starter_network import INPUT_SIDE
from core.segmentation.tiny import build_tiny_sam

CLICKS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    image = np.ascontiguousarray(cv2.resize(skimage.data.coffee(), (1500, 1000)))
    starter = load_starter(STARTER_WEIGHTS, name="starter", title="starter", device="cpu")
    segmenters: dict[str, Segmenter] = {
        "starter": starter,
        "starter_network": starter.wide,
        "vit_10m": SamSegmenter(build_tiny_sam(INPUT_SIDE), name="vit", title="vit"),
    }
    report = {
        "threads": torch.get_num_threads(),
        "side": INPUT_SIDE,
        **measure(segmenters, image, arguments.rounds),
    }
    if not arguments.json:
        for name in segmenters:
            sys.stdout.write(f"{name}: {report[name]}\n")
    sys.stdout.write(json.dumps(report) + "\n")


def measure(segmenters: dict[str, Segmenter], image: np.ndarray, rounds: int) -> dict[str, dict[str, float]]:
    """Return medians in milliseconds of an encoding, and of a click until its best mask is there at full size.

    All take turns, so that noise falls on all. Of three clicks the first begins an object and the others refine it.
    """
    embeddings = {name: segmenter.encode(image) for name, segmenter in segmenters.items()}
    times: dict[str, dict[str, list[float]]] = {
        name: {"encode_ms": [], "first_click_ms": [], "further_click_ms": []} for name in segmenters
    }
    rng = np.random.default_rng(0)
    for _ in range(rounds):
        points = tuple(Point(rng.uniform(0, 1500), rng.uniform(0, 1000), 1) for _ in range(CLICKS))
        for name, segmenter in segmenters.items():
            times[name]["encode_ms"].append(timed(lambda segmenter=segmenter: segmenter.encode(image)))  # type: ignore[misc]
            for kind, ms in zip(
                ("first", "further", "further"), _clicks(segmenter, embeddings[name], points), strict=True
            ):
                times[name][f"{kind}_click_ms"].append(ms)
    return {
        name: {kind: round(statistics.median(values[3:]), 1) for kind, values in kinds.items()}
        for name, kinds in times.items()
    }


def _clicks(segmenter: Segmenter, embedding: Embedding, points: tuple[Point, ...]) -> list[float]:
    found: list[Candidate] = []
    times = []
    for count in range(1, len(points) + 1):

        def click(count: int = count) -> None:
            before = found[0] if found else None
            found[:] = segmenter.decode(embedding, Prompt(points[:count]), refine=before)
            found[0].mask()

        times.append(timed(click))
    return times


if __name__ == "__main__":
    main()
