"""Checks of a mask beside the other masks of its image."""

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np

from core import masks as pixels
from core.quality.flags import Box, Crop, ExistingMask, Flag, Subject, counted, dilated

_SIDES: Final = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def duplicate(subject: Subject) -> Iterator[Flag]:
    """Say so if another mask of the image seems to be of the same object."""
    near = [other for other in subject.existing if _common(subject.box, other.box)]
    if not near:
        return
    for other, iou in zip(near, pixels.iou(subject.rle, [each.rle for each in near]), strict=True):
        other_area = pixels.area(other.rle)
        small_area, large_area = sorted((subject.area, other_area))
        shared = iou * (subject.area + other_area) / (1 + iou)
        limits = subject.limits
        contained = shared / small_area >= limits.containment and small_area / large_area >= limits.similar_size
        if iou >= limits.duplicate_iou or contained:
            yield Flag(
                "duplicate",
                "warning",
                f"The mask overlaps mask {other.mask_id} by {iou:.0%}: perhaps the same object.",
                other.box,
                None,
                {"mask_id": other.mask_id, "iou": round(float(iou), 4)},
            )


def crumb(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask shares a sliver with another one: more than rounding, too little for a part."""
    limits = subject.limits
    for other in subject.existing:
        window = _common(subject.box, other.box)
        if window is None:
            continue
        shared = _ours(subject, window) & _theirs([other], window)
        count = cv2.countNonZero(shared)
        if limits.sliver < count <= limits.sliver_share * min(subject.area, pixels.area(other.rle)):
            yield Flag(
                "crumb",
                "info",
                f"The mask shares a sliver of {counted(count)} with mask {other.mask_id}.",
                _around(shared, window),
                detail={"mask_id": other.mask_id, "pixels": count},
            )


def gap(subject: Subject) -> Iterator[Flag]:
    """Say so if between the mask and another one, which touch around it, a thin gap is left."""
    limits = subject.limits
    reach = limits.gap_width + 1
    near = [other for other in subject.existing if _common(_grown(subject.box, reach), other.box)]
    for other in near:
        window = _common(_grown(subject.box, reach), _grown(other.box, reach))
        if window is None:
            continue
        ours, theirs = _ours(subject, window), _theirs([other], window)
        # What a third mask covers is no gap.
        between = _slits(ours, theirs, _theirs(near, window), limits.gap_width)
        count = cv2.countNonZero(between)
        contact = cv2.countNonZero(ours & dilated(theirs, _SIDES))
        if count >= limits.gap and contact >= cv2.countNonZero(between & dilated(ours, _SIDES)):
            yield Flag(
                "gap",
                "info",
                f"Between the mask and mask {other.mask_id} a thin gap of {counted(count)} is left.",
                _around(between, window),
                detail={"mask_id": other.mask_id, "pixels": count},
            )


def _slits(ours: Crop, theirs: Crop, covered: Crop, width: int) -> Crop:
    """Return the background that both masks together enclose, neither alone, and that is nowhere wider."""
    free = 1 - np.pad(ours | theirs | covered, 1)
    count, labels = cv2.connectedComponents(free, connectivity=4)
    reached = [_labels_at(labels, np.pad(mask, 1)) for mask in (ours, theirs)]
    # The window's margin is free, so its corner tells which label lies outside; 0 is what is covered.
    chosen = (reached[0] & reached[1]) - {0, int(labels[0, 0])}
    wide = cv2.erode(free, np.ones((width + 1, width + 1), np.uint8))
    chosen -= {int(label) for label in np.unique(labels[wide > 0])}
    kept = np.zeros(count, np.uint8)
    kept[list(chosen)] = 1
    slits: Crop = kept[labels][1:-1, 1:-1]
    return slits


def _labels_at(labels: np.ndarray, mask: Crop) -> set[int]:
    """Return the labels that lie at a mask's sides."""
    return {int(label) for label in np.unique(labels[dilated(mask, _SIDES) > 0])}


def _ours(subject: Subject, window: Box) -> Crop:
    return _seen([(subject.box, subject.crop[1:-1, 1:-1])], window)


def _theirs(others: Sequence[ExistingMask], window: Box) -> Crop:
    return _seen([(other.box, other.crop) for other in others if _common(other.box, window)], window)


def _seen(crops: list[tuple[Box, Crop]], window: Box) -> Crop:
    """Return what of some crops lies in a window, shape (height, width) of the window."""
    seen = np.zeros((window[3], window[2]), np.uint8)
    for box, crop in crops:
        common = _common(box, window)
        if common is not None:
            x, y, width, height = common
            here = (slice(y - window[1], y - window[1] + height), slice(x - window[0], x - window[0] + width))
            seen[here] |= crop[y - box[1] : y - box[1] + height, x - box[0] : x - box[0] + width]
    return seen


def _around(pixels_of: Crop, window: Box) -> Box:
    x, y, width, height = cv2.boundingRect(pixels_of)
    return window[0] + x, window[1] + y, width, height


def _grown(box: Box, by: int) -> Box:
    return box[0] - by, box[1] - by, box[2] + 2 * by, box[3] + 2 * by


def _common(one: Box, other: Box) -> Box | None:
    """Return the box that two boxes share, None if there is none."""
    x, y = max(one[0], other[0]), max(one[1], other[1])
    width = min(one[0] + one[2], other[0] + other[2]) - x
    height = min(one[1] + one[3], other[1] + other[3]) - y
    return (x, y, width, height) if width > 0 and height > 0 else None
