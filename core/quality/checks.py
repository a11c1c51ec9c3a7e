"""The automatic checks at accept: each a small function of one mask, all in one table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core import masks as pixels
from core.masks import Mask, Rle

Severity = Literal["info", "warning", "error"]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds of the checks; areas in pixels, shares in [0, 1].

    `duplicate_iou`, `containment` and `similar_size` say when two masks are of one object: they overlap that
    much, or the smaller lies in the larger that far and is at least that share of it. A part inside its whole
    is smaller, so it is none. `covering` is the share of the image above which SA-1B drops a mask.
    """

    min_area: int = 100
    small_region: int = 100
    duplicate_iou: float = 0.5
    containment: float = 0.85
    similar_size: float = 0.5
    covering: float = 0.95


@dataclass(frozen=True, slots=True)
class ExistingMask:
    """A mask that is on the image already."""

    mask_id: int
    rle: Rle


@dataclass(frozen=True, slots=True)
class Flag:
    """What a check says: which one, how grave, in a sentence, where, and what would mend it."""

    name: str
    severity: Severity
    message: str
    box: Box | None = None
    fix: Literal["clean"] | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def as_detail(self) -> dict[str, Any]:
        """Return what is kept beside name, severity and message."""
        return {**self.detail, "box": list(self.box) if self.box else None, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class Subject:
    """A mask that is not empty, with what several checks need of it.

    `crop` is the mask within its box (x, y, width, height), with one pixel of margin all round.
    """

    mask: Mask
    area: int
    box: Box
    crop: NDArray[np.uint8]
    existing: Sequence[ExistingMask]
    limits: Limits


def check_mask(mask: Mask, existing: Sequence[ExistingMask], *, limits: Limits) -> list[Flag]:
    """Return what the checks say of a mask, gravest first; nothing if all is well.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    existing : sequence of ExistingMask
        The other masks of the image, of the same size.

    Examples
    --------
    >>> [flag.name for flag in check_mask(np.zeros((4, 4), bool), [], limits=Limits())]
    ['empty']
    """
    area = int(np.count_nonzero(mask))
    if area == 0:
        return [Flag("empty", "error", "The mask is empty.")]
    subject = _subject(mask, area, existing, limits)
    flags = [flag for check in CHECKS.values() for flag in check(subject)]
    return sorted(flags, key=lambda flag: _GRAVITY[flag.severity])


_GRAVITY: Final = {"error": 0, "warning": 1, "info": 2}


def _subject(mask: Mask, area: int, existing: Sequence[ExistingMask], limits: Limits) -> Subject:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    box = (x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
    crop = np.pad(mask[y : y + box[3], x : x + box[2]].astype(np.uint8), 1)
    return Subject(mask, area, box, crop, existing, limits)


def small(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask has fewer pixels than the project's minimum."""
    if subject.area < subject.limits.min_area:
        yield Flag(
            "small",
            "warning",
            f"The mask has {_pixels(subject.area)}; {subject.limits.min_area} are the minimum.",
            subject.box,
        )


def islands(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask falls into several parts; parts touch also at corners."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(subject.crop, connectivity=8)
    areas = sorted((int(area) for area in stats[1:, cv2.CC_STAT_AREA]), reverse=True)
    if count <= 2:
        return
    extra = areas[1:]
    mendable = all(area < subject.limits.small_region for area in extra)
    parts = "1 other part" if len(extra) == 1 else f"{len(extra)} other parts"
    smallest = int(stats[1:, cv2.CC_STAT_AREA].argmin()) + 1
    x, y, width, height = (int(value) for value in stats[smallest, :4])
    yield Flag(
        "islands",
        "warning" if mendable else "info",
        f"Besides its largest part the mask has {parts} of {_pixels(sum(extra))}.",
        (subject.box[0] + x - 1, subject.box[1] + y - 1, width, height),
        "clean",
        {"parts": len(extra), "pixels": sum(extra), "largest": extra[0]},
    )


def holes(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask has holes; a hole is background that touches its surroundings at no side."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(1 - subject.crop, connectivity=4)
    # Label 0 is the mask itself, one of the others the surroundings, which hold the crop's corner.
    inner = [index for index in range(1, count) if tuple(stats[index, :2]) != (0, 0)]
    if not inner:
        return
    areas = [int(stats[index, cv2.CC_STAT_AREA]) for index in inner]
    mendable = all(area < subject.limits.small_region for area in areas)
    x, y, width, height = (int(value) for value in stats[inner[int(np.argmin(areas))], :4])
    named = "1 hole" if len(areas) == 1 else f"{len(areas)} holes"
    yield Flag(
        "holes",
        "warning" if mendable else "info",
        f"The mask has {named} of {_pixels(sum(areas))}.",
        (subject.box[0] + x - 1, subject.box[1] + y - 1, width, height),
        "clean",
        {"parts": len(areas), "pixels": sum(areas), "largest": max(areas)},
    )


def duplicate(subject: Subject) -> Iterator[Flag]:
    """Say so if another mask of the image seems to be of the same object."""
    near = [other for other in subject.existing if _overlap(subject.box, pixels.bbox(other.rle))]
    if not near:
        return
    rle = pixels.encode(subject.mask)
    for other, iou in zip(near, pixels.iou(rle, [each.rle for each in near]), strict=True):
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
                pixels.bbox(other.rle),
                None,
                {"mask_id": other.mask_id, "iou": round(float(iou), 4)},
            )


def covering(subject: Subject) -> Iterator[Flag]:
    """Say so if the mask covers nearly the whole image."""
    share = subject.area / subject.mask.size
    if share > subject.limits.covering:
        yield Flag("covering", "warning", f"The mask covers {share:.0%} of the image.", subject.box)


CHECKS: Final[dict[str, Callable[[Subject], Iterator[Flag]]]] = {
    "small": small,
    "islands": islands,
    "holes": holes,
    "duplicate": duplicate,
    "covering": covering,
}
"""Every check after emptiness, by the name of its flag. Adding one is adding a function here."""


def _pixels(count: int) -> str:
    return "1 pixel" if count == 1 else f"{count} pixels"


def _overlap(one: Box, other: Box) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )
