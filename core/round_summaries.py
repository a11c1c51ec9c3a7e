"""What rounds say in a few numbers each, kept so that a page need not compare all masks again."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from core.metrics import Chosen
from core.quality.agreement import THRESHOLDS
from core.round_results import PairResult, compare
from core.workshop import Library
from storage import rounds, settings_store
from storage.rows import SeatRow

MOST_ROUNDS: Final = 12
"""Newest ones that are told."""


@dataclass(frozen=True, slots=True)
class PairSummary:
    """How far two people agree, or one with the library's masks (None).

    Attributes
    ----------
    masks : int
        Of both.
    f1 : float
        At IoU 0.5.
    iou : float, optional
        Mean of matched masks, None where nothing matched.
    """

    first: int | None
    second: int | None
    masks: int
    f1: float
    iou: float | None
    panoptic_quality: float


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """A round, and each two of its people."""

    name: str
    begun: datetime
    pairs: tuple[PairSummary, ...]


def summaries(library: Library, chosen: Chosen) -> list[RoundSummary]:
    """Return the rounds of the chosen days, and in them the pairs with one of the chosen people, oldest first.

    Cost: comparing all masks of those rounds in which somebody has worked since they were summed up last.
    """
    by = chosen.narrow()
    with library.engines.reading() as session:
        found = rounds.every(library.project_id, session=session)[:MOST_ROUNDS]
        seats = {row.id: rounds.seats(row.id, session=session) for row in found}
    told = []
    for row in reversed(found):
        if (by.since and row.created_at < by.since) or (by.until and row.created_at >= by.until):
            continue
        pairs = tuple(
            pair
            for pair in _pairs(library, row.id, seats[row.id])
            if not by.people or {pair.first, pair.second} & set(by.people)
        )
        if pairs:
            told.append(RoundSummary(row.name, row.created_at, pairs))
    return told


def _pairs(library: Library, round_id: int, seats: list[SeatRow]) -> list[PairSummary]:
    key = f"round-{round_id}"
    state = [[seat.project_id, seat.done, seat.masks] for seat in seats]
    with library.engines.reading() as session:
        kept = settings_store.get(key, session=session)
    if kept is None or kept["state"] != state:
        kept = {"state": state, "pairs": [_summed_up(pair) for pair in compare(library, seats)]}
        with library.engines.writing() as session:
            settings_store.put(key, kept, session=session)
    return [PairSummary(**pair) for pair in kept["pairs"]]


def _summed_up(pair: PairResult) -> dict[str, Any]:
    return asdict(
        PairSummary(
            pair.first.person_id,
            pair.second.person_id,
            sum(one.count for one in pair.images),
            pair.f1[THRESHOLDS[0]],
            pair.iou.mean if pair.iou else None,
            pair.panoptic_quality,
        )
    )
