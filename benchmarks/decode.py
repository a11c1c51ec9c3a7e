"""How long a click's decoding takes, as a share of `SamPredictor.predict` with the same weights in the same run."""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
import skimage.data
import torch

from core.segmentation.protocol import Point, Prompt
from core.segmentation.sam import SamSegmenter
from core.segmentation.sam_modules import segment_anything
from core.segmentation.tiny import build_tiny_sam

SIZES = {"tiny_512": 512, "vit_b_shape_1024": 1024}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    results = {name: measure(side, arguments.rounds) for name, side in SIZES.items()}
    worst = max(result["ratio"] for result in results.values())
    if not arguments.json:
        for name, result in results.items():
            sys.stdout.write(f"{name}: {result}\n")
    report = {"ratio_to_sampredictor": worst, "threads": torch.get_num_threads(), **results}
    sys.stdout.write(json.dumps(report) + "\n")


def measure(side: int, rounds: int) -> dict[str, float]:
    """Return medians in milliseconds, calls of both kinds taking turns so that noise falls on both."""
    # The decoder's cost depends on the size of its input alone; the encoder is left small on purpose.
    sam = build_tiny_sam(side)
    segmenter = SamSegmenter(sam, name="tiny", title="tiny")
    image = np.ascontiguousarray(cv2.resize(skimage.data.coffee(), (1500, 1000)))
    embedding = segmenter.encode(image)
    predictor = segment_anything().SamPredictor(sam)
    predictor.set_image(image)
    rng = np.random.default_rng(0)
    times: dict[str, list[float]] = {"predict": [], "click": [], "all_three": []}
    for _ in range(rounds):
        x, y = rng.uniform(0, 1500), rng.uniform(0, 1000)
        prompt = Prompt((Point(x, y, 1),))

        def predict(x: float = x, y: float = y) -> None:
            predictor.predict(np.array([[x, y]]), np.array([1]), multimask_output=True)

        def click(prompt: Prompt = prompt) -> None:
            segmenter.decode(embedding, prompt)[0].mask()

        def all_three(prompt: Prompt = prompt) -> None:
            for candidate in segmenter.decode(embedding, prompt):
                candidate.mask()

        for name, call in (("predict", predict), ("click", click), ("all_three", all_three)):
            times[name].append(timed(call))
    medians = {name: statistics.median(values[3:]) for name, values in times.items()}
    return {
        "ratio": round(medians["click"] / medians["predict"], 3),
        "ratio_all_three": round(medians["all_three"] / medians["predict"], 3),
        **{f"{name}_ms": round(value, 2) for name, value in medians.items()},
    }


def timed(call: Callable[[], object]) -> float:
    """Return how many milliseconds a call takes."""
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1e3


if __name__ == "__main__":
    main()
