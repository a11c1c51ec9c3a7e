"""Checks of a mask's parts: what it is made of, how large it is, and where it lies in the photo."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

import cv2
import numpy as np

from core.quality.boxes import Box, Crop, bounds, common, dilated, eroded, grown
from core.quality.flags import Flag, Subject, counted

Outline = Any
_TOUCH: Final = np.ones((3, 3), np.uint8)


def small(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask has fewer pixels than the project's minimum."""
    if subject.area < subject.limits.min_area:
        yield Flag(
            "small",
            "warning",
            f"The mask has {counted(subject.area)}; {subject.limits.min_area} are the minimum.",
            subject.box,
        )


def islands(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask falls into several parts; parts touch also at corners."""
    # Outlines are found in a tenth of the time that labels take, and most masks have one part.
    if sum(not outline.hole for outline in subject.outlines) < 2:
        return
    _, _, stats, _ = cv2.connectedComponentsWithStats(subject.crop, connectivity=8)
    areas = sorted((int(area) for area in stats[1:, cv2.CC_STAT_AREA]), reverse=True)
    extra = areas[1:]
    mendable = all(area < subject.limits.small_region for area in extra)
    parts = "1 other part" if len(extra) == 1 else f"{len(extra)} other parts"
    smallest = int(stats[1:, cv2.CC_STAT_AREA].argmin()) + 1
    x, y, width, height = (int(value) for value in stats[smallest, :4])
    yield Flag(
        "islands",
        "warning" if mendable else "info",
        f"Besides its largest part the mask has {parts} of {counted(sum(extra))}.",
        subject.placed(x, y, width, height),
        "clean",
        {"parts": len(extra), "pixels": sum(extra), "largest": extra[0]},
    )


def holes(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask has holes; a hole is background that touches its surroundings at no side."""
    if not any(outline.hole for outline in subject.outlines):
        return
    count, _, stats, _ = cv2.connectedComponentsWithStats(1 - subject.crop, connectivity=4)
    # Label 0 is the mask itself, one of the others the surroundings, which hold the crop's corner.
    inner = [index for index in range(1, count) if tuple(stats[index, :2]) != (0, 0)]
    areas = [int(stats[index, cv2.CC_STAT_AREA]) for index in inner]
    mendable = all(area < subject.limits.small_region for area in areas)
    x, y, width, height = (int(value) for value in stats[inner[int(np.argmin(areas))], :4])
    named = "1 hole" if len(areas) == 1 else f"{len(areas)} holes"
    yield Flag(
        "holes",
        "warning" if mendable else "info",
        f"The mask has {named} of {counted(sum(areas))}.",
        subject.placed(x, y, width, height),
        "clean",
        {"parts": len(areas), "pixels": sum(areas), "largest": max(areas)},
    )


def covering(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask covers nearly the whole image."""
    share = subject.area / subject.mask.size
    if share > subject.limits.covering:
        yield Flag("covering", "warning", f"The mask covers {share:.0%} of the image.", subject.box)


def border(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask runs along a side of the photo: the object may go on outside."""
    height, width = subject.mask.shape
    edges = {
        "left": subject.mask[:, 0],
        "right": subject.mask[:, -1],
        "upper": subject.mask[0],
        "lower": subject.mask[-1],
    }
    along = {name: int(np.count_nonzero(edge)) for name, edge in edges.items()}
    long = [name for name, count in along.items() if count > subject.limits.border * edges[name].size]
    if not long:
        return
    longest = max(long, key=lambda name: along[name])
    touched = np.flatnonzero(edges[longest])
    first, length = int(touched[0]), int(touched[-1] - touched[0]) + 1
    box: Box = {
        "left": (0, first, 1, length),
        "right": (width - 1, first, 1, length),
        "upper": (first, 0, length, 1),
        "lower": (first, height - 1, length, 1),
    }[longest]
    sides = " and ".join(long) if len(long) < 3 else ", ".join(long)
    yield Flag(
        "border",
        "info",
        f"The mask runs along the photo's {sides} edge for {counted(sum(along[name] for name in long))}.",
        box,
        detail={name: along[name] for name in long},
    )


def bridge(subject: Subject) -> Iterator[Flag]:
    """Say so if two large parts of the mask hang together by a short, thin neck only."""
    limits, crop = subject.limits, subject.crop
    reach = max(1, round(limits.neck * max(subject.mask.shape) / 2))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    thinned = eroded(crop, kernel)
    least = limits.part_share * subject.area
    # Outlines are found in a tenth of the time that labels take, and most masks have one large part.
    outlines, _ = cv2.findContours(thinned, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    parts = [_filled(thinned, outline) for outline in outlines if _box_area(outline) >= least]
    parts = [part for part in parts if cv2.countNonZero(part) >= least] if len(parts) > 1 else []
    if len(parts) < 2:
        return
    whole = [dilated(part, kernel) & crop for part in parts]
    necks = {
        box
        for one, other in combinations(whole, 2)
        for box in _between(crop, one, other, limits.neck_length)
        if max(box[2:]) <= limits.neck_length
    }
    if necks:
        yield Flag(
            "bridge",
            "info",
            f"Large parts of the mask hang together by a neck at most {2 * reach} pixels wide: perhaps two objects.",
            subject.placed(*min(necks)),
            detail={"parts": len(parts), "necks": len(necks)},
        )


def _box_area(outline: Outline) -> int:
    _, _, width, height = cv2.boundingRect(outline)
    return width * height


def _filled(crop: Crop, outline: Outline) -> Crop:
    """Return the part of a crop that lies within an outline."""
    part = np.zeros_like(crop)
    cv2.drawContours(part, [outline], -1, 1, cv2.FILLED)
    return part & crop


def _between(crop: Crop, one: Crop, other: Crop, reach: int) -> Iterator[Box]:
    """Yield the boxes of what joins two parts within so many pixels: a piece of its own, or where they meet."""
    window = common(grown(bounds(one), reach), grown(bounds(other), reach))
    if window is None:
        return
    left, top = max(window[0], 0), max(window[1], 0)
    seen = (slice(top, window[1] + window[3]), slice(left, window[0] + window[2]))
    rest = crop[seen] & ~(one | other)[seen]
    around, beyond = dilated(one[seen], _TOUCH), dilated(other[seen], _TOUCH)
    x, y, width, height = bounds(around & other[seen])
    if width:
        yield left + x, top + y, width, height
    _, labels, stats, _ = cv2.connectedComponentsWithStats(rest, connectivity=8)
    for index in set(np.unique(labels[(around & rest) > 0])) & set(np.unique(labels[(beyond & rest) > 0])):
        x, y, width, height = (int(value) for value in stats[index, :4])
        yield left + x, top + y, width, height
