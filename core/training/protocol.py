"""The standard protocol of interactive segmentation: a robot clicks where the mask is most wrong.

The first click is at the centre of the object, each next one at the centre of the largest error of the best-scored
mask: Sofiiuk, Petrov and Konushin, "Reviving Iterative Training with Mask Guidance for Interactive Segmentation",
arXiv 2102.06583. Pixels of which nobody knows whether they are object count nowhere.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.protocol import Candidate, Embedding, Mask, Point, Prompt, Segmenter

VERSION: Final = "clicks-1"
"""Part of the key of kept results: another number when what is measured changes."""
TARGETS: Final = (0.80, 0.85, 0.90)
CLICKS: Final = (1, 3, 5, 10)
RATED_CLICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Trace:
    """What came after each click, as far as clicks were needed.

    Attributes
    ----------
    iou, best3 : tuple of float
        IoU of the best-scored mask, and the best IoU of the three; both in [0, 1].
    predictions : tuple of (float, float)
        (predicted IoU, IoU) of every candidate of the first five clicks.
    click_ms : tuple of float
        Time until the best-scored mask was there at full size.
    """

    iou: tuple[float, ...]
    best3: tuple[float, ...]
    predictions: tuple[tuple[float, float], ...]
    click_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """All clicks up to one, what they were answered with, best first, and how long that took."""

    points: tuple[Point, ...]
    found: list[Candidate]
    ms: float


def follow(
    segmenter: Segmenter,
    embedding: Embedding,
    truth: Mask,
    unsure: Mask,
    *,
    max_clicks: int,
    enough: float | None = None,
) -> Trace:
    """Return what a segmenter makes of up to `max_clicks` clicks on an object.

    With `enough` it ends where the best-scored mask has that IoU, as an annotator would.

    Else it ends early only where more clicks would change no figure: when nothing is wrong any more, or when ten clicks
    are done and an IoU of 0.90 was reached. Whoever reads the trace goes on with its last values.
    """
    best: list[float] = []
    best3: list[float] = []
    predictions: list[tuple[float, float]] = []
    times: list[float] = []
    for turn in rounds(segmenter, embedding, truth, unsure, max_clicks=max_clicks):
        times.append(turn.ms)
        values = _ious(turn.found, truth, unsure)
        best.append(values[0])
        best3.append(max(values))
        if len(best) <= RATED_CLICKS:
            predictions += zip((candidate.predicted_iou for candidate in turn.found), values, strict=True)
        if _settled(best) or (enough is not None and best[-1] >= enough):
            break
    return Trace(tuple(best), tuple(best3), tuple(predictions), tuple(times))


def rounds(
    segmenter: Segmenter, embedding: Embedding, truth: Mask, unsure: Mask, *, max_clicks: int
) -> Iterator[Round]:
    """Yield the answer after each click, until nothing is wrong any more or there were `max_clicks`."""
    points: tuple[Point, ...] = ()
    current, refine = np.zeros(truth.shape, bool), None
    while len(points) < max_clicks:
        point = next_click(current, truth, unsure, points)
        if point is None:
            break
        points = (*points, point)
        begun = time.perf_counter()
        found = segmenter.decode(embedding, Prompt(points), refine=refine)
        current, refine = found[0].mask(), found[0]
        yield Round(points, found, (time.perf_counter() - begun) * 1e3)


def box_ious(segmenter: Segmenter, embedding: Embedding, truth: Mask, unsure: Mask) -> tuple[float, float]:
    """Return the IoU of the best-scored mask for the object's box alone, and the best IoU of the three."""
    values = _ious(segmenter.decode(embedding, Prompt(box=box_of(truth))), truth, unsure)
    return values[0], max(values)


def box_of(mask: Mask) -> tuple[float, float, float, float]:
    """Return the smallest box (x0, y0, x1, y1) around a mask that is not empty; its edges run between pixels.

    Examples
    --------
    >>> box_of(np.array([[0, 0, 0], [0, 1, 1]], bool))
    (1.0, 1.0, 3.0, 2.0)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def next_click(current: Mask, truth: Mask, unsure: Mask, before: Sequence[Point]) -> Point | None:
    """Return the point deepest inside what is missing or inside what is too much, whichever is deeper.

    Pixels clicked before are not clicked again. None if nothing is wrong, or all of it was clicked.
    """
    known = ~unsure
    for point in before:
        known[int(point.y), int(point.x)] = False
    missing = _deepest(truth & ~current & ~unsure, known)
    too_much = _deepest(current & ~truth & ~unsure, known)
    depth, x, y, label = max((*too_much, 0), (*missing, 1), key=lambda found: found[0])
    return Point(x + 0.5, y + 0.5, label) if depth > 0 else None


def iou(mask: Mask, truth: Mask, unsure: Mask) -> float:
    """Return the intersection over union of two masks where it is known what is object."""
    union = int(((mask | truth) & ~unsure).sum())
    return int((mask & truth & ~unsure).sum()) / union if union else 1.0


def clicks_to(target: float, values: tuple[float, ...], max_clicks: int) -> int:
    """Return how many clicks it took to reach an IoU, `max_clicks` if it was never reached (NoC).

    Examples
    --------
    >>> clicks_to(0.8, (0.5, 0.8, 0.7), 20), clicks_to(0.9, (0.5, 0.8, 0.7), 20)
    (2, 20)
    """
    return next((number for number, value in enumerate(values, start=1) if value >= target), max_clicks)


def _settled(values: list[float]) -> bool:
    return len(values) >= CLICKS[-1] and max(values) >= TARGETS[-1]


def _ious(found: list[Candidate], truth: Mask, unsure: Mask) -> list[float]:
    return [iou(candidate.mask(), truth, unsure) for candidate in found]


def _deepest(area: Mask, allowed: Mask) -> tuple[float, int, int]:
    """Return depth, column and row of the deepest allowed pixel of an area; beyond the image lies no area."""
    padded: NDArray[np.uint8] = np.pad(area.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1] * allowed
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(depth[row, column]), int(column), int(row)
