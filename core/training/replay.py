"""What annotators did once, done again with another model: clicks and time it would have saved them.

Blind: the prompts are those of then, in their order; with another model some would have been set elsewhere. So it
tells what to expect, not what will be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core import masks as pixels
from core.masks import Rle
from core.segmentation.protocol import Candidate, Embedding, Mask, Point, Prompt, Segmenter
from core.segmentation.sight import Sight, seen
from core.segmentation.travelling import Model
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


@dataclass(frozen=True, slots=True)
class Page:
    """An image with accepted masks, and the prompts that were given for each."""

    sight: Sight
    accepted: tuple[tuple[Rle, tuple[Given, ...]], ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What each mask of an image takes with either model, and the embedding's bytes if it was made now and is kept."""

    champion: tuple[Spent, ...]
    challenger: tuple[Spent, ...]
    made: bytes | None


def replayed(models: tuple[Model, Model], page: Page) -> Replayed:
    """Give an image's prompts again, to the champion and to the challenger; one embedding fits both."""
    champion, challenger = (model.segmenter for model in models)
    if not page.accepted:
        return Replayed((), (), None)
    has = seen(champion, page.sight)
    done = [(pixels.decode(rle), given) for rle, given in page.accepted]
    return Replayed(
        tuple(spent(champion, has.embedding, mask, given) for mask, given in done),
        tuple(spent(challenger, has.embedding, mask, given) for mask, given in done),
        has.made,
    )


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
