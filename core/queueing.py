"""Who is on which image, and which comes next: each image is given to one person at a time, by a lease that ends."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from core import overlapping
from core.errors import Held, HeldQuietly, InvalidInput
from core.roles import require
from core.scope import image_in, stay_in
from core.workshop import Library
from storage import events, images, leases, queue
from storage.rows import LeaseRow
from storage.types import now

AHEAD: Final = 4
MOST_PASSED: Final = 500
Priority = Literal["first", "in turn", "last"]
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)
"""From the soonest on; the database counts them from 1."""


@dataclass(frozen=True, slots=True)
class Next:
    """What a person works on next.

    Attributes
    ----------
    image_id : int, optional
        The image, which is theirs now; none if there is nothing to do.
    mask_id : int, optional
        The mask on it that a reviewer sent back, if that is why.
    round_id : int, optional
        The round whose seat the image is in, where it is meant for agreement.
    ahead : tuple of int
        What would come after it.
    """

    image_id: int | None
    mask_id: int | None = None
    round_id: int | None = None
    ahead: tuple[int, ...] = ()


def next_image(
    library: Library,
    *,
    client: str = "",
    leaving: int | None = None,
    passed: Collection[int] = (),
    at: datetime | None = None,
) -> Next:
    """Let go of the image that is left, and give the person the next one, in one transaction.

    What reviewers sent back to them comes first, then what others have done and a second annotator is to do for
    agreement, then what is open: by priority, and in the project's order. Nobody is given an image on which somebody
    else is. Images they have `passed` without finishing come again when there are no others.
    """
    moment = at or now()
    skipped = {*passed} | ({leaving} if leaving is not None else set())
    with library.engines.writing() as session:
        leases.shorten(at=moment, session=session)
        if leaving is not None:
            leases.release(leaving, library.person_id, client=client, session=session)
        back = queue.returned(library.project_id, library.person_id, at=moment, passed=skipped, session=session)
        if back is not None:
            _take(library, back.image_id, client, moment, session)
            return Next(back.image_id, mask_id=back.mask_id)
        twice = overlapping.take_next(library, session=session)
        if twice is not None:
            return Next(twice.image_id, round_id=twice.round_id)
        found = _open(library, skipped, moment, session)
        if not found and passed:
            found = _open(library, {leaving} if leaving is not None else set(), moment, session)
        if not found:
            return Next(None)
        _take(library, found[0], client, moment, session)
        return Next(found[0], ahead=tuple(found[1:]))


def _open(library: Library, passed: Collection[int], at: datetime, session: Any) -> list[int]:
    return queue.candidates(
        library.project_id, library.person_id, at=at, passed=passed, session=session, limit=1 + AHEAD
    )


def _take(library: Library, image_id: int, client: str, at: datetime, session: Any) -> None:
    if not leases.take(image_id, library.person_id, client, at=at, session=session):
        raise AssertionError("an image that is free for somebody can be taken in the same transaction")


def hold(
    library: Library, image_id: int, *, client: str = "", take_over: bool = False, at: datetime | None = None
) -> None:
    """Give an image that somebody opened to them, or keep it theirs for another while.

    With `take_over` also from somebody who has given no sign of life for a while.

    Raises
    ------
    Held
        If somebody else is on it; `HeldQuietly` if it could be taken over.
    MissingRow
        If it is not in the library.
    """
    moment = at or now()
    with library.engines.writing() as session:
        image_in(library, image_id, session=session)
        leases.shorten(at=moment, session=session)
        if not leases.take(image_id, library.person_id, client, at=moment, quiet=take_over, session=session):
            raise _held(leases.of_image(image_id, at=moment, session=session), moment)
        if take_over:
            events.add("take_over", person_id=library.person_id, image_id=image_id, session=session)


def _held(lease: LeaseRow | None, at: datetime) -> Held:
    if lease is None:
        raise AssertionError("a lease that cannot be taken is somebody's")
    minutes = int((at - (lease.expires_at - leases.LEASE)).total_seconds() // 60)
    if minutes * 60 >= leases.QUIET.total_seconds():
        return HeldQuietly(
            f"{lease.name} is on this image, but has done nothing for {minutes} minutes; you may take it over"
        )
    return Held(f"{lease.name} is on this image; you can look at it, and work on it when they have left it")


def hand_back(library: Library, image_id: int, *, client: str | None = None) -> None:
    """Let an image go, unless another tab of the person is on it; one that is not theirs stays as it is."""
    with library.engines.writing() as session:
        stay_in(library, image_id, session=session)
        leases.release(image_id, library.person_id, client=client, session=session)


def show_life(library: Library, image_id: int, *, client: str = "") -> None:
    """Keep an image somebody's who works on it, without a word if it is another's; writes once in a while."""
    if not library.signs_of_life.due(image_id, library.person_id):
        return
    with library.engines.writing() as session:
        leases.take(image_id, library.person_id, client, at=now(), session=session)


def prioritise(library: Library, image_ids: Sequence[int], priority: Priority) -> int:
    """Let images come first, in their turn or last; return how many changed.

    Raises
    ------
    InvalidInput
        If the priority is none.
    Forbidden
        If the person may not.
    """
    require(library, "settings")
    if priority not in PRIORITIES:
        raise InvalidInput(f"a priority must be one of {', '.join(PRIORITIES)}, got {str(priority)[:40]!r}")
    with library.engines.writing() as session:
        here = [row.id for row in images.some(list(image_ids), session=session) if row.project_id == library.project_id]
        moved = images.set_priority(here, PRIORITIES.index(priority) + 1, session=session)
        if moved:
            detail = {"priority": priority, "images": moved}
            events.add("priority", person_id=library.person_id, detail=detail, session=session)
    return moved
