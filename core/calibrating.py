"""Calibration before real work: who is new annotates a round first, and passes when it agrees with the agreed masks."""

from dataclasses import dataclass

from core import round_results, rounds
from core.projects import settings
from core.roles import may, require
from core.workshop import Library
from storage import rounds as queries
from storage.rows import RoundRow, SeatRow


@dataclass(frozen=True, slots=True)
class Required:
    """A calibration that a person must pass yet, their seat, and once they are through, how they did."""

    round: RoundRow
    seat: SeatRow
    standing: round_results.Passing | None


def required(library: Library) -> Required | None:
    """Return the calibration that stands before real work for this person, None if none does.

    Who has no seat yet is given one; who is through is judged, once. Reviewers and above are not asked.
    """
    if may(library, "review"):
        return None
    round_id = settings(library).calibration
    if round_id is None:
        return None
    with library.engines.reading() as session:
        row = queries.find(round_id, session=session)
        seat = queries.seat(round_id, library.person_id, session=session)
    if row is None or row.closed_at is not None:
        return None
    if seat is None:
        seat = rounds.take_seat(library, round_id)
    if seat.passed:
        return None
    standing = None
    if seat.finished:
        standing = judge(library, row, seat)
        if standing.passed:
            return None
    return Required(row, seat, standing)


def judge(library: Library, row: RoundRow, seat: SeatRow) -> round_results.Passing:
    """Return how a person who is through did, and keep it if they have passed."""
    with library.engines.reading() as session:
        agreed = next(one for one in queries.seats(row.id, session=session) if one.person_id is None)
    (standing,) = round_results.standings(row, round_results.compare(library, [agreed, seat]), [seat])
    if standing.passed:
        _note_passed(library, seat)
    return standing


def let_pass(library: Library, seat: SeatRow) -> None:
    """Let a person go on to real work, whatever they reached."""
    require(library, "review")
    _note_passed(library, seat)


def _note_passed(library: Library, seat: SeatRow) -> None:
    with library.engines.writing() as session:
        queries.set_passed(seat.project_id, session=session)
