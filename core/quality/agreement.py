"""How far annotators who were given the same image agree, and in what they do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from core import masks as pixels
from core.masks import Mask
from core.quality.boundary import boundary_iou
from core.statistics import Floats

THRESHOLDS: Final = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Of IoU, at which two masks count as the same: 0.50, 0.55 ... 0.95."""
MATCHED: Final = 0.5
ALIKE: Final = 0.9
CONTAINED: Final = 0.85
"""Share of a mask that lies in another from which on it is a part of it."""
Kind = Literal["missed", "boundary", "granularity"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two masks of one object: their places in either list, IoU and boundary IoU."""

    ours: int
    theirs: int
    iou: float
    boundary_iou: float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What two annotators saw differently, and which masks of either it concerns.

    *missed*: one has it, the other has not. *boundary*: both have it, with outlines that differ. *granularity*: one has
    the whole, the other has its parts.
    """

    kind: Kind
    ours: tuple[int, ...]
    theirs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two annotators on one image.

    Attributes
    ----------
    pairs : tuple of Pair
        Masks of the same object, at an IoU of 0.5 or more.
    f1 : dict of float to float
        By threshold of IoU: twice the pairs above it, by all masks of both.
    panoptic_quality, segmentation_quality, recognition_quality : float
        Kirillov et al., "Panoptic Segmentation", CVPR 2019: the first is the product of the others, the mean IoU of
        pairs above 0.5, and their F1.
    disagreements : tuple of Disagreement
    """

    pairs: tuple[Pair, ...]
    f1: dict[float, float]
    panoptic_quality: float
    segmentation_quality: float
    recognition_quality: float
    disagreements: tuple[Disagreement, ...]


def agreement(ours: Sequence[Mask], theirs: Sequence[Mask]) -> Agreement:
    """Return how far two lists of masks of one image agree; two empty ones do wholly.

    Parameters
    ----------
    ours, theirs : sequence of ndarray of bool, shape (H, W)
        They may overlap, as a part and its whole do.
    """
    ious, sizes, other_sizes = _overlaps(ours, theirs)
    shared = ious * (sizes[:, None] + other_sizes[None]) / (1 + ious)
    matched = assigned(ious)
    pairs = tuple(
        Pair(row, column, float(ious[row, column]), boundary_iou(ours[row], theirs[column])) for row, column in matched
    )
    count = len(ours) + len(theirs)
    f1 = {limit: 2 * sum(pair.iou >= limit for pair in pairs) / count if count else 1.0 for limit in THRESHOLDS}
    true = [pair.iou for pair in pairs if pair.iou > MATCHED]
    recognition = 2 * len(true) / count if count else 1.0
    segmentation = float(np.mean(true)) if true else float(not count)
    return Agreement(
        pairs, f1, segmentation * recognition, segmentation, recognition, _split(pairs, shared, sizes, other_sizes)
    )


def assigned(ious: Floats) -> list[tuple[int, int]]:
    """Return which rows and columns go together, one to one, so that their IoUs add up to most; 0.5 at least each.

    Kuhn's Hungarian method; a greedy choice may give away a mask that another needs.
    """
    usable = np.where(ious >= MATCHED, ious, 0.0)
    rows, columns = linear_sum_assignment(usable, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if usable[row, column] > 0]


def _overlaps(ours: Sequence[Mask], theirs: Sequence[Mask]) -> tuple[Floats, Floats, Floats]:
    """Return the IoU of each two masks, shape (n, m), and the masks' own pixels, (n,) and (m,)."""
    encoded, others = ([pixels.encode(mask) for mask in masks] for masks in (ours, theirs))
    sizes, other_sizes = (np.array([pixels.area(rle) for rle in rles], float) for rles in (encoded, others))
    ious = np.array([pixels.iou(rle, others) for rle in encoded]).reshape(len(ours), len(theirs))
    return ious, sizes, other_sizes


def _split(pairs: Sequence[Pair], shared: Floats, sizes: Floats, other_sizes: Floats) -> tuple[Disagreement, ...]:
    """Return what is seen differently: first wholes against parts, then masks nobody else has, then outlines."""
    loose = [pair for pair in pairs if pair.iou < ALIKE]
    lone = set(range(len(sizes))) - {pair.ours for pair in pairs}
    other_lone = set(range(len(other_sizes))) - {pair.theirs for pair in pairs}
    ours, theirs = lone | {pair.ours for pair in loose}, other_lone | {pair.theirs for pair in loose}
    found: list[Disagreement] = []
    for whole in sorted(ours):
        parts = _parts(shared[whole] / np.maximum(other_sizes, 1), theirs, other_lone if whole in lone else set())
        if parts:
            found.append(Disagreement("granularity", (whole,), parts))
            ours.discard(whole)
            theirs -= set(parts)
    for whole in sorted(theirs):
        parts = _parts(shared[:, whole] / np.maximum(sizes, 1), ours, lone if whole in other_lone else set())
        if parts:
            found.append(Disagreement("granularity", parts, (whole,)))
            theirs.discard(whole)
            ours -= set(parts)
    found += [Disagreement("missed", (one,), ()) for one in sorted(ours & lone)]
    found += [Disagreement("missed", (), (one,)) for one in sorted(theirs & other_lone)]
    found += [
        Disagreement("boundary", (pair.ours,), (pair.theirs,))
        for pair in loose
        if pair.ours in ours and pair.theirs in theirs
    ]
    return tuple(found)


def _parts(inside: Floats, open_masks: set[int], lone: set[int]) -> tuple[int, ...]:
    """Return which of the other's masks are parts of a whole: two or more that lie in it, or one that has no match.

    Parameters
    ----------
    inside : ndarray, shape (m,)
        What share of each of the other's masks lies in the whole.
    open_masks : set of int
        Those without a match, or with one of another outline.
    lone : set of int
        Those without a match, if the whole has none either.
    """
    parts = tuple(one for one in sorted(open_masks) if inside[one] >= CONTAINED)
    return parts if len(parts) > 1 or set(parts) & lone else ()
