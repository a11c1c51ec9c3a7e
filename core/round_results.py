"""What a round says: how far each two of its seats agree, image by image."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from core.mask_rows import decoded
from core.quality.agreement import THRESHOLDS, Agreement, agreement
from core.statistics import Floats, Interval, resamples
from core.workshop import Library
from storage import masks, rounds
from storage.rows import MaskRow, RoundRow, SeatRow

SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """Two seats on one image: the images' ids in either, and how far they agree."""

    sha256: str
    ours: int
    theirs: int
    agreement: Agreement
    count: int
    """Masks of both."""


@dataclass(frozen=True, slots=True)
class PairResult:
    """Two seats over all images that both are through with.

    Attributes
    ----------
    iou, boundary_iou : Interval, optional
        Mean over all matched masks, with a 95 % interval over images; None where nothing matched.
    f1 : dict of float to float
        By threshold of IoU.
    panoptic_quality : float
        Mean over images.
    split : dict of str to int
        Disagreements: missed, boundary, granularity.
    images : tuple of Compared
        Worst first: by F1 at 0.5, then by IoU.
    """

    first: SeatRow
    second: SeatRow
    matched: int
    iou: Interval | None
    boundary_iou: Interval | None
    f1: dict[float, float]
    panoptic_quality: float
    split: dict[str, int]
    images: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Passing:
    """How a person stands in a calibration: finished or not, and whether what they reached is enough."""

    seat: SeatRow
    f1: float
    iou: float
    passed: bool


def compare(library: Library, seats: Sequence[SeatRow]) -> list[PairResult]:
    """Return how far each two of a round's seats agree, over the images that both have finished.

    One image's masks are in memory at a time. Cost: pairs of seats, times images, times what `agreement` takes.
    """
    with library.engines.reading() as session:
        places = {seat.project_id: rounds.images_of(seat.project_id, session=session) for seat in seats}
        done = {seat.project_id: rounds.done_of(seat.project_id, session=session) for seat in seats}
        compared: dict[tuple[int, int], list[Compared]] = {}
        shas = sorted({sha256 for of_seat in places.values() for sha256 in of_seat})
        for sha256 in shas:
            there = [
                seat
                for seat in seats
                if sha256 in places[seat.project_id]
                and (seat.person_id is None or places[seat.project_id][sha256] in done[seat.project_id])
            ]
            rows = {seat.project_id: masks.of_image(places[seat.project_id][sha256], session=session) for seat in there}
            for one in _of_image(sha256, there, rows, places):
                compared.setdefault(one[0], []).append(one[1])
    by_project = {seat.project_id: seat for seat in seats}
    return [_result(by_project[first], by_project[second], all_of) for (first, second), all_of in compared.items()]


def _of_image(
    sha256: str, seats: list[SeatRow], rows: dict[int, list[MaskRow]], places: dict[int, dict[str, int]]
) -> Iterator[tuple[tuple[int, int], Compared]]:
    pixels = {project: [decoded(row) for row in of_seat] for project, of_seat in rows.items()}
    for first, second in combinations((seat.project_id for seat in seats), 2):
        found = agreement(pixels[first], pixels[second])
        count = len(pixels[first]) + len(pixels[second])
        yield (first, second), Compared(sha256, places[first][sha256], places[second][sha256], found, count)


def _result(first: SeatRow, second: SeatRow, compared: list[Compared]) -> PairResult:
    pairs = [one.agreement.pairs for one in compared]
    matched = np.array([len(of_image) for of_image in pairs], float)
    ious = np.array([sum(pair.iou for pair in of_image) for of_image in pairs])
    boundary = np.array([sum(pair.boundary_iou for pair in of_image) for of_image in pairs])
    count = sum(one.count for one in compared)
    above = {limit: sum(pair.iou >= limit for of_image in pairs for pair in of_image) for limit in THRESHOLDS}
    return PairResult(
        first,
        second,
        int(matched.sum()),
        _ratio(ious, matched),
        _ratio(boundary, matched),
        {limit: 2 * number / count if count else 1.0 for limit, number in above.items()},
        float(np.mean([one.agreement.panoptic_quality for one in compared])),
        dict(Counter(said.kind for one in compared for said in one.agreement.disagreements)),
        tuple(sorted(compared, key=lambda one: (one.agreement.f1[THRESHOLDS[0]], one.agreement.panoptic_quality))),
    )


def _ratio(sums: Floats, counts: Floats) -> Interval | None:
    """Return the mean of what was summed up by image, with the middle 95 % of resamples of images."""
    if not counts.sum():
        return None
    weights = np.concatenate(list(resamples(len(counts), SEED)))
    drawn = weights @ counts
    means = (weights @ sums)[drawn > 0] / drawn[drawn > 0]
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(sums.sum() / counts.sum()), float(low), float(high))


def standings(row: RoundRow, results: Sequence[PairResult], seats: Sequence[SeatRow]) -> list[Passing]:
    """Return how everybody stands in a calibration, who was compared with the agreed masks."""
    against = {result.second.project_id: result for result in results if result.first.person_id is None}
    found = []
    for seat in seats:
        result = against.get(seat.project_id)
        if seat.person_id is None:
            continue
        f1 = result.f1[THRESHOLDS[0]] if result else 0.0
        iou = result.iou.mean if result and result.iou else 0.0
        enough = f1 >= row.passing.get("f1", 0) and iou >= row.passing.get("iou", 0)
        found.append(Passing(seat, f1, iou, seat.passed or (seat.finished and enough)))
    return found
