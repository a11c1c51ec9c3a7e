"""What checks look at, what they say, and from where on they say it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core import masks as pixels
from core.masks import Mask, Rle
from core.quality.boxes import Box, Crop

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds of the checks; areas in pixels, lengths and widths in pixels, shares in [0, 1].

    Attributes
    ----------
    min_area, small_region : int
        The smallest mask, and below what size an island or hole is cleaned without asking twice.
    duplicate_iou, containment, similar_size : float
        When two masks are of one object: they overlap that much, or the smaller lies in the larger that far and is
        at least that share of it. A part inside its whole is smaller, so it is none.
    covering : float
        Share of the image above which SA-1B drops a mask.
    roughness, rough_outline : float, int
        An outline's length over that of its smoothed self, looked at from so many pixels on. Circles, bars, stars and
        wavy outlines made for this come to 1.1 at most; an edge that each pixel moved by two at random, to 1.45.
    neck, neck_length, part_share : float, int, float
        A neck is at most this share of the photo's longest side wide, one dot of SAM's answer, and this long; what
        is longer is a stem. Both parts keep at least this share of the mask once necks are thinned away.
    steps, step : int, int
        An outline of at least so many straight runs, each at least so long. Sloping edges have runs of one pixel.
    border : float
        Share of one of the photo's sides that a mask runs along.
    sliver, sliver_share : int, float
        Two masks share more pixels than rounding explains, yet at most this share of the smaller.
    gap, gap_width : int, int
        Pixels between two masks that touch all round them, never wider than this.
    stability : float
        Meta's automatic masks need 0.95; here a person has looked. Means something for SAM alone: the starter's
        answers are softer, and good ones score 0.3.
    predicted_iou : float
        Below it an answer of Meta's models is unsure. Where audits tell (`core.quality.calibration`), a version has a
        limit of its own, and without one other models' scores are not judged.
    kept : float
        Below this IoU with its candidate a mask is another than the model spoke of.
    """

    min_area: int = 100
    small_region: int = 100
    duplicate_iou: float = 0.5
    containment: float = 0.85
    similar_size: float = 0.5
    covering: float = 0.95
    roughness: float = 1.3
    rough_outline: int = 100
    neck: float = 1 / 256
    neck_length: int = 30
    part_share: float = 0.1
    steps: int = 24
    step: int = 3
    border: float = 0.1
    sliver: int = 20
    sliver_share: float = 0.05
    gap: int = 20
    gap_width: int = 4
    stability: float = 0.85
    predicted_iou: float = 0.75
    kept: float = 0.8


@dataclass(frozen=True)
class ExistingMask:
    """A mask that is on the image already. Its box, unless known, and pixels are found when a check asks, once."""

    mask_id: int
    rle: Rle
    known_box: Box | None = None

    @cached_property
    def box(self) -> Box:
        """The smallest box around it: x, y, width, height."""
        return pixels.bbox(self.rle) if self.known_box is None else self.known_box

    @cached_property
    def crop(self) -> Crop:
        """Its pixels within its box, shape (height, width)."""
        x, y, width, height = self.box
        return pixels.decode(self.rle)[y : y + height, x : x + width].astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model said of its candidate, whether the mask was painted on since, and its IoU with the candidate."""

    predicted_iou: float | None
    stability_score: float | None
    edited: bool = False
    kept_iou: float | None = None


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


class Outline(NamedTuple):
    """An outline as OpenCV finds it, shape (points, 1, 2) of (x, y), and whether it is that of a hole."""

    line: NDArray[Any]
    hole: bool


@dataclass(frozen=True)
class Subject:
    """A mask that is not empty, with what several checks need of it.

    `crop` is the mask within its box (x, y, width, height), with one pixel of margin all round.
    """

    mask: Mask
    area: int
    box: Box
    crop: Crop
    existing: Sequence[ExistingMask]
    limits: Limits
    prediction: Prediction | None = None
    known_rle: Rle | None = None

    @cached_property
    def rle(self) -> Rle:
        """The mask as runs."""
        return pixels.encode(self.mask) if self.known_rle is None else self.known_rle

    @cached_property
    def outlines(self) -> list[Outline]:
        """The outlines of the crop's parts, which touch also at corners, and of their holes."""
        found, nesting = cv2.findContours(self.crop, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        above = nesting[0, :, 3]  # the part that a hole is in; -1 of parts
        return [Outline(np.asarray(line), bool(parent >= 0)) for line, parent in zip(found, above, strict=True)]

    def placed(self, x: int, y: int, width: int, height: int) -> Box:
        """Return a box of the crop as one of the image: without what of it lies in the margin."""
        left, top = max(x, 1), max(y, 1)
        right, bottom = min(x + width, self.box[2] + 1), min(y + height, self.box[3] + 1)
        return self.box[0] + left - 1, self.box[1] + top - 1, right - left, bottom - top


def subject_of(
    mask: Mask,
    existing: Sequence[ExistingMask],
    limits: Limits,
    prediction: Prediction | None = None,
    rle: Rle | None = None,
) -> Subject | None:
    """Return a mask as the checks look at it; None for an empty one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    x, y = int(columns[0]), int(rows[0])
    box = (x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
    crop = np.pad(mask[y : y + box[3], x : x + box[2]].astype(np.uint8), 1)
    return Subject(mask, int(np.count_nonzero(mask)), box, crop, existing, limits, prediction, rle)


def counted(pixel_count: int) -> str:
    """Return a number of pixels in words."""
    return "1 pixel" if pixel_count == 1 else f"{pixel_count} pixels"
