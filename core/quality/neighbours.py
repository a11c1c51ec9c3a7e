"""Checks of a mask beside the other masks of its image."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core import masks as pixels
from core.quality.boxes import Box, Crop, bounds, common, dilated, eroded, grown
from core.quality.flags import ExistingMask, Flag, Subject, counted

_SIDES: Final = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def duplicate(subject: Subject) -> Iterator[Flag]:
    """Say so if another mask of the image seems to be of the same object."""
    # To find a box takes as long as to compare, so only boxes that are known leave masks out.
    near = [
        other
        for other in subject.existing
        if other.known_box is None or common(subject.box, other.known_box) is not None
    ]
    overlaps = pixels.iou(subject.rle, [other.rle for other in near])
    for other, iou in zip(near, overlaps, strict=True):
        if iou == 0:
            continue
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
        window = common(subject.box, other.box)
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


def astride(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask lies half on another one: neither a part of it nor beside it."""
    limits = subject.limits
    for other in subject.existing:
        window = common(subject.box, other.box)
        if window is None:
            continue
        shared = _ours(subject, window) & _theirs([other], window)
        areas = subject.area, pixels.area(other.rle)
        count, least = cv2.countNonZero(shared), min(areas)
        alike = count / (sum(areas) - count) >= limits.duplicate_iou
        if not alike and max(limits.sliver, limits.sliver_share * least) < count < limits.containment * least:
            yield Flag(
                "astride",
                "info",
                f"The mask shares {count / least:.0%} of the smaller with mask {other.mask_id}: "
                "neither a part of it nor beside it.",
                _around(shared, window),
                detail={"mask_id": other.mask_id, "pixels": count},
            )


def gap(subject: Subject) -> Iterator[Flag]:
    """Say so if between the mask and another one, which touch around it, a thin gap is left."""
    limits = subject.limits
    reach = limits.gap_width + 1
    near = [other for other in subject.existing if common(grown(subject.box, reach), other.box)]
    for other in near:
        window = common(grown(subject.box, reach), grown(other.box, reach))
        if window is None:
            continue
        ours, theirs = _ours(subject, window), _theirs([other], window)
        contact = cv2.countNonZero(ours & dilated(theirs, _SIDES))
        if not contact:
            continue
        # What a third mask covers is no gap.
        between = _slits(ours, theirs, _theirs(near, window), limits.gap_width)
        count = cv2.countNonZero(between)
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
    _, labels = cv2.connectedComponents(free, connectivity=4)
    wide = eroded(free, np.ones((width + 1, width + 1), np.uint8))
    chosen = ~_labelled(labels, wide)
    for mask in (ours, theirs):
        chosen &= _labelled(labels, dilated(np.pad(mask, 1), _SIDES))
    # The window's margin is free, so its corner tells which label lies outside; 0 is what is covered.
    chosen[[0, labels[0, 0]]] = False
    slits: Crop = chosen[labels][1:-1, 1:-1].astype(np.uint8)
    return slits


def _labelled(labels: NDArray[Any], at: Crop) -> NDArray[np.bool_]:
    """Return for each label whether it lies anywhere in a crop; shape (labels,)."""
    found = np.zeros(int(labels.max()) + 1, bool)
    found[labels[at > 0]] = True
    return found


def _ours(subject: Subject, window: Box) -> Crop:
    return _seen([(subject.box, subject.crop[1:-1, 1:-1])], window)


def _theirs(others: Sequence[ExistingMask], window: Box) -> Crop:
    return _seen([(other.box, other.crop) for other in others if common(other.box, window)], window)


def _seen(crops: list[tuple[Box, Crop]], window: Box) -> Crop:
    """Return what of some crops lies in a window, shape (height, width) of the window."""
    seen = np.zeros((window[3], window[2]), np.uint8)
    for box, crop in crops:
        part = common(box, window)
        if part is not None:
            x, y, width, height = part
            here = (slice(y - window[1], y - window[1] + height), slice(x - window[0], x - window[0] + width))
            seen[here] |= crop[y - box[1] : y - box[1] + height, x - box[0] : x - box[0] + width]
    return seen


def _around(pixels_of: Crop, window: Box) -> Box:
    x, y, width, height = bounds(pixels_of)
    return window[0] + x, window[1] + y, width, height
