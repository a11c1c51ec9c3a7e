"""What annotators did once, done again with another model: clicks and time it would have saved them.

Blind: the prompts are those of then, in their order; with another model some would have been set elsewhere. So it
tells what to expect, not what will be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.segmentation.protocol import Candidate, Embedding, Mask, Point, Prompt, Segmenter
from core.statistics import Interval, intervals
from core.training.protocol import iou

GOOD: Final = 0.9
"""IoU with the accepted mask at which an annotator would have stopped."""


@dataclass(frozen=True, slots=True)
class Given:
    """One prompt as it was given: a point, or a box for `point` None, `at_ms` after the object was begun."""

    at_ms: int
    point: Point | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """How many of its prompts an object takes, and milliseconds from its beginning to the last of these."""

    prompts: int
    ms: int


@dataclass(frozen=True, slots=True)
class Saving:
    """What is expected to be saved on each mask, with 95 % intervals from resamples of images."""

    objects: int
    clicks: Interval
    seconds: Interval


def spent(segmenter: Segmenter, embedding: Embedding, accepted: Mask, given: Sequence[Given]) -> Spent:
    """Return after which of the prompts a model's best mask has 0.9 IoU with what was accepted; all if it never has."""
    unsure = np.zeros_like(accepted)
    points: tuple[Point, ...] = ()
    box: tuple[float, float, float, float] | None = None
    before: Candidate | None = None
    for number, one in enumerate(given, start=1):
        points, box = (*points, one.point) if one.point else points, one.box or box
        before = segmenter.decode(embedding, Prompt(points, box), refine=before)[0]
        if iou(before.mask(), accepted, unsure) >= GOOD:
            return Spent(number, one.at_ms)
    return Spent(len(given), given[-1].at_ms if given else 0)


def saving(
    champion: Sequence[Spent], challenger: Sequence[Spent], images: Sequence[str], *, seed: int = 0
) -> Saving | None:
    """Return what the challenger saves on the same objects, which lie on these images; None without any."""
    pairs = list(zip(champion, challenger, strict=True))
    if not pairs:
        return None
    saved = np.array([(old.prompts - new.prompts, (old.ms - new.ms) / 1e3) for old, new in pairs], float)
    clicks, seconds = intervals(saved, images, seed=seed)
    return Saving(len(pairs), clicks, seconds)
