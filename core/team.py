"""What the team does: who is there, what they work on, what they made in the last days, and who did what."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.roles import require
from core.workshop import Library
from storage import people, team
from storage.rows import AtWorkRow, EventRow, MemberRow

DAYS: Final = 7
NOW: Final = timedelta(minutes=15)
"""An object in work that was touched this lately is being worked on."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on the team, and what they have in work now."""

    person: MemberRow
    work: AtWorkRow | None

    @property
    def seconds(self) -> float | None:
        """Mean active seconds of a mask of the last days, None if there is none."""
        return self.person.active_ms / 1e3 / self.person.masks if self.person.masks else None


def members(library: Library, *, at: datetime) -> list[Member]:
    """Return everybody with what they did in the `DAYS` days before `at`, oldest account first."""
    require(library, "see_team")
    with library.engines.reading() as session:
        found = team.members(since=at - timedelta(days=DAYS), session=session)
        working: dict[int, AtWorkRow] = {}
        for one in team.at_work(since=at - NOW, session=session):
            working.setdefault(one.person_id, one)
    return [Member(person, working.get(person.id)) for person in found]


def oneself(library: Library, *, at: datetime) -> MemberRow:
    """Return what the person at work did in the `DAYS` days before `at`."""
    require(library, "see_own")
    with library.engines.reading() as session:
        (found,) = team.members(since=at - timedelta(days=DAYS), person_id=library.person_id, session=session)
    return found


def happened(
    library: Library, *, limit: int, before: int | None = None, person_id: int | None = None
) -> list[EventRow]:
    """Return what was done, newest first; the page after the one that ends with event `before`."""
    require(library, "see_team")
    with library.engines.reading() as session:
        return team.happened(limit=limit, before=before, person_id=person_id, session=session)


def names(library: Library) -> dict[int, str]:
    """Return the names of everybody, by id."""
    require(library, "see_team")
    with library.engines.reading() as session:
        return people.names(session=session)
