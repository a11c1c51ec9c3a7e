"""What is left on a photo: of a segmenter's proposals, those that no accepted mask covers.

Everything here is on coarse masks (longest side at most 256) of one shape (H, W); L is how many masks there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.segmentation.protocol import Mask

SAME_IOU: Final = 0.5
"""Two masks of at least this IoU are of one object."""
WITHIN: Final = 0.85
"""Share of a mask that must lie in another to count as inside it."""
LIKE_SIZE: Final = 2.0
"""What is inside a mask at most so many times as large is the same object, drawn more tightly."""
BANDS: Final = (0.01, 0.10)
"""Where small ends and large begins, as shares of the photo."""
PLACES: Final = 3
"""Rows and columns of the grid that places are told by."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a proposal is taken seriously.

    Attributes
    ----------
    predicted_iou, stability : float
        The least of each, in [0, 1].
    least_share, most_share : float
        Of the photo's area.
    duplicate_iou : float
        Of two proposals that overlap as much as this, the one of lower predicted IoU goes.
    clear_iou : float
        Of at least this predicted IoU a proposal is an object of its own also where most are none: inside an accepted
        mask that is much larger, and in a corner of the photo.
    """

    predicted_iou: float = 0.55
    stability: float = 0.3
    least_share: float = 0.0004
    most_share: float = 0.5
    duplicate_iou: float = 0.5
    clear_iou: float = 0.75


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mask (H, W) that a segmenter proposes for one point, with the predicted IoU and stability it gives it."""

    mask: Mask
    predicted_iou: float
    stability: float

    @property
    def share(self) -> float:
        """Share of the photo that it covers."""
        return float(self.mask.mean())

    def box(self) -> tuple[float, float, float, float]:
        """Return the smallest box around it as shares of width and height: x0, y0, x1, y1."""
        rows, columns = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        if not rows.size:
            return 0.0, 0.0, 0.0, 0.0
        height, width = self.mask.shape
        return (
            float(columns[0] / width),
            float(rows[0] / height),
            float((columns[-1] + 1) / width),
            float((rows[-1] + 1) / height),
        )


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a survey of one photo came to.

    Attributes
    ----------
    masks, proposals : int
        Accepted masks, and plausible proposals of distinct objects.
    left : tuple of Proposal
        Those that no accepted mask covers, the surest first.
    uncovered : float
        Share of the photo that no accepted mask covers.
    """

    masks: int
    proposals: int
    left: tuple[Proposal, ...]
    uncovered: float

    @property
    def score(self) -> float:
        """Share of the objects known or guessed that have a mask, in [0, 1]; 1 where there is nothing to be done."""
        known = self.masks + len(self.left)
        return self.masks / known if known else 1.0


def grid(size: int) -> NDArray[np.float64]:
    """Return size x size points (x, y) as shares of width and height, each in the middle of its cell.

    They come scattered: whatever number of them has been asked, the photo is covered about evenly. So what the first
    ones find can spare the later ones.

    Examples
    --------
    >>> grid(2).tolist()
    [[0.25, 0.25], [0.75, 0.75], [0.75, 0.25], [0.25, 0.75]]
    """
    bits = max(1, (size - 1).bit_length())
    rows, columns = np.divmod(np.arange(size * size), size)
    place = np.zeros(size * size, np.int64)
    for bit in range(bits):  # the finest bits first: a Bayer matrix
        row, column = rows >> bit & 1, columns >> bit & 1
        place = place << 2 | (row ^ column) << 1 | row
    order = np.argsort(place, kind="stable")
    return np.stack([(columns[order] + 0.5) / size, (rows[order] + 0.5) / size], 1)


def plausible(proposal: Proposal, limits: Limits) -> bool:
    """Return whether a proposal is sure enough, of a size that objects have, and not what lies around them.

    A mask that reaches two sides of the photo must be clear (`clear_iou`), for most are a corner of the ground; one
    that reaches all four is the ground.
    """
    if proposal.predicted_iou < limits.predicted_iou or proposal.stability < limits.stability:
        return False
    if not limits.least_share <= proposal.share <= limits.most_share:
        return False
    sides = sides_reached(proposal.mask)
    return sides < 2 or (sides < 4 and proposal.predicted_iou >= limits.clear_iou)


def sides_reached(mask: Mask) -> int:
    """Return how many sides of the photo a mask reaches, 0 to 4."""
    return sum(bool(side.any()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def distinct(proposals: Iterable[Proposal], duplicate_iou: float) -> list[Proposal]:
    """Return the proposals, surest first, without those that overlap a surer one (non-maximum suppression).

    Those of the same predicted IoU keep their order. Cost: O(L^2) in overlaps.
    """
    ordered = sorted(proposals, key=lambda proposal: -proposal.predicted_iou)
    if not ordered:
        return []
    overlaps, areas = _overlaps([proposal.mask for proposal in ordered])
    unions = areas[:, None] + areas[None] - overlaps
    kept: list[int] = []
    for index in range(len(ordered)):
        if areas[index] and not (overlaps[index, kept] >= duplicate_iou * unions[index, kept]).any():
            kept.append(index)
    return [ordered[index] for index in kept]


def covered(proposal: Proposal, accepted: Sequence[Mask], limits: Limits) -> bool:
    """Return whether accepted masks have a proposal's object already.

    They have if one is of the same object (IoU 0.5, or 85 % inside one of like size), if 85 % of it lies inside a much
    larger one and it is not clearly an object of its own, or if several together hold 85 % of it: a whole whose
    parts were drawn.
    """
    area = int(proposal.mask.sum())
    if not accepted or not area:
        return False
    everywhere = np.zeros(proposal.mask.shape, bool)
    in_one = False
    for mask in accepted:
        common = int((proposal.mask & mask).sum())
        if not common:
            continue
        theirs = int(mask.sum())
        if common >= SAME_IOU * (area + theirs - common):
            return True
        if common >= WITHIN * area:
            if theirs <= LIKE_SIZE * area or proposal.predicted_iou < limits.clear_iou:
                return True
            in_one = True
        everywhere |= mask
    return not in_one and int((proposal.mask & everywhere).sum()) >= WITHIN * area


def survey(proposals: Iterable[Proposal], accepted: Sequence[Mask], limits: Limits | None = None) -> Coverage:
    """Return what a photo's proposals and accepted masks, all of one shape (H, W), say of it."""
    limits = limits or Limits()
    found = distinct((one for one in proposals if plausible(one, limits)), limits.duplicate_iou)
    left = tuple(one for one in found if not covered(one, accepted, limits))
    union = np.zeros(1, bool) if not accepted else np.logical_or.reduce(list(accepted))
    return Coverage(len(accepted), len(found), left, 1.0 - float(union.mean()))


def band(share: float) -> int:
    """Return the size band of a mask that covers this share of its photo: 0 below 1 %, 1 up to 10 %, 2 above.

    Examples
    --------
    >>> [band(0.009), band(0.01), band(0.1), band(0.11)]
    [0, 1, 1, 2]
    """
    return 0 if share < BANDS[0] else 1 if share <= BANDS[1] else 2


def place(x: float, y: float) -> int:
    """Return in which of nine fields, counted row by row, a point lies that is given as shares of width and height.

    Examples
    --------
    >>> [place(0, 0), place(0.5, 0.5), place(1, 1)]
    [0, 4, 8]
    """
    column, row = (min(PLACES - 1, max(0, int(value * PLACES))) for value in (x, y))
    return row * PLACES + column


def matches(proposals: Sequence[Proposal], truths: Sequence[Mask], iou: float = SAME_IOU) -> int:
    """Return how many proposals are of a true object that no other proposal is matched with.

    Pairs are made from the highest IoU down; proposals of one photo overlap little, so that is about the best there is.
    """
    if not proposals or not truths:
        return 0
    overlaps, areas = _overlaps([*(proposal.mask for proposal in proposals), *truths])
    count = len(proposals)
    common = overlaps[:count, count:]
    ious = common / np.maximum(areas[:count, None] + areas[None, count:] - common, 1)
    pairs = 0
    while ious.max(initial=0.0) >= iou:
        row, column = np.unravel_index(int(ious.argmax()), ious.shape)
        ious[row], ious[:, column] = 0.0, 0.0
        pairs += 1
    return pairs


def _overlaps(found: Sequence[Mask]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the common pixels of each pair of masks, shape (L, L), and the pixels of each."""
    flat = np.stack([mask.ravel() for mask in found]).astype(np.float32)
    overlaps = np.asarray(flat @ flat.T, np.float64)
    return overlaps, np.diag(overlaps).copy()
