"""Proposals for all of a photo: a segmenter asked with grids of points, on the photo and on parts of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelUnavailable
from core.quality.coverage import Limits, Proposal, grid, plausible
from core.segmentation.closeup import CloseUpSegmenter
from core.segmentation.dots import coarse_mask
from core.segmentation.protocol import Embedding, Mask, RgbImage, Segmenter, coarse_size
from core.segmentation.sam import PLACES_AT_ONCE, SamSegmenter, stability
from core.segmentation.windows import Window, whole

MOST_CUT_OFF: Final = 0.02
"""Of the inner sides of a part of a photo; a mask that reaches them goes on beyond, where another part shows it whole.
"""


@dataclass(frozen=True, slots=True)
class Level:
    """How closely to look: n x n overlapping parts of the photo, and points x points in each."""

    parts: int
    points: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How a segmenter is asked, and when its proposals are taken seriously.

    Attributes
    ----------
    levels : tuple of Level
        From afar to close by.
    spared_from : float
        Points inside a plausible proposal of at least this predicted IoU are not asked any more.
    """

    levels: tuple[Level, ...]
    limits: Limits
    spared_from: float


STARTER_PLAN: Final = Plan((Level(1, 6), Level(5, 5)), Limits(), spared_from=0.6)
"""Chosen on half of the nuclei: docs/quality.md."""
SAM_PLAN: Final = Plan((Level(1, 16),), Limits(predicted_iou=0.88, stability=0.95), spared_from=0.88)
"""The limits of segment_anything's own generator of masks."""


def plan_of(segmenter: Segmenter) -> Plan:
    """Return how a segmenter is asked.

    Raises
    ------
    ModelUnavailable
        If it has no weights: its scores tell too little, and it would take a minute a photo.
    """
    if isinstance(segmenter, CloseUpSegmenter):
        return STARTER_PLAN
    if isinstance(segmenter, SamSegmenter):
        return SAM_PLAN
    raise _weightless(segmenter)


def _weightless(segmenter: Segmenter) -> ModelUnavailable:
    return ModelUnavailable(f"a survey needs a model with weights, but {segmenter.name} has none")


def proposals(
    segmenter: Segmenter, image: RgbImage, embedding: Embedding, accepted: Sequence[Mask], plan: Plan
) -> list[Proposal]:
    """Return what a segmenter takes for objects on a photo, one proposal a point; many are of the same object.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3)
    accepted : sequence of ndarray
        Coarse masks; points inside them are not asked.
    """
    size_hw = (image.shape[0], image.shape[1])
    done = np.zeros(coarse_size(size_hw), bool)
    for mask in accepted:
        done |= mask
    found = []
    for level in plan.levels:
        for window in parts_of(size_hw, level.parts):
            for one in _within(
                segmenter, image, embedding, window, grid(level.points), done, plan.limits.predicted_iou
            ):
                if not plausible(one, plan.limits):
                    continue
                found.append(one)
                if one.predicted_iou >= plan.spared_from:
                    done |= one.mask
    return found


def parts_of(size_hw: tuple[int, int], count: int) -> list[Window]:
    """Return count x count parts of a photo, row by row, each overlapping half of the next.

    Examples
    --------
    >>> [(part.x0, part.x1) for part in parts_of((60, 80), 3)[:3]]
    [(0, 40), (20, 60), (40, 80)]
    """
    if count == 1:
        return [whole(size_hw)]
    rows, columns = (max(2, round(2 * side / (count + 1))) for side in size_hw)
    tops, lefts = (
        [round(index * (side - part) / (count - 1)) for index in range(count)]
        for side, part in zip(size_hw, (rows, columns), strict=True)
    )
    return [Window(left, top, left + columns, top + rows) for top in tops for left in lefts]


def _within(
    segmenter: Segmenter,
    image: RgbImage,
    embedding: Embedding,
    window: Window,
    shares: NDArray[np.float64],
    done: Mask,
    least: float,
) -> Iterator[Proposal]:
    """Yield the proposals of a part of the photo that have at least this predicted IoU.

    `done` is looked at before each batch, for it grows meanwhile.
    """
    size_hw = (image.shape[0], image.shape[1])
    places = shares * [window.x1 - window.x0, window.y1 - window.y0]
    sam: SamSegmenter | None = None
    for begin in range(0, len(places), PLACES_AT_ONCE):
        batch = places[begin : begin + PLACES_AT_ONCE]
        asked = np.array([place for place in batch if not _is_in(done, place, window, size_hw)])
        if not len(asked):
            continue
        if sam is None:  # a part whose points are all spared is not encoded
            sam, seen = _eye(segmenter, image, embedding, window)
        for logits, score in sam.best_each(seen, asked):
            if score >= least and window.share_cut_off(logits > 0, size_hw) <= MOST_CUT_OFF:
                yield Proposal(coarse_mask(logits, window, size_hw), score, stability(logits))


def _eye(segmenter: Segmenter, image: RgbImage, embedding: Embedding, window: Window) -> tuple[SamSegmenter, Embedding]:
    """Return the network that looks at a part of the photo, and what it sees there."""
    if isinstance(segmenter, CloseUpSegmenter):
        return segmenter.close, segmenter.close.encode(np.ascontiguousarray(window.crop(image), np.uint8))
    if isinstance(segmenter, SamSegmenter):
        return segmenter, embedding
    raise _weightless(segmenter)


def _is_in(mask: Mask, place: NDArray[np.float64], window: Window, size_hw: tuple[int, int]) -> bool:
    row = int((place[1] + window.y0) * mask.shape[0] / size_hw[0])
    column = int((place[0] + window.x0) * mask.shape[1] / size_hw[1])
    return bool(mask[min(row, mask.shape[0] - 1), min(column, mask.shape[1] - 1)])
