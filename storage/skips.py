"""Queries about skipped objects: the hard queue."""

from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.models import Image, Skip
from storage.narrowing import Narrow, narrowed
from storage.rows import SkipRow, Times, Touched
from storage.types import now


def insert(
    key: str,
    *,
    image_id: int,
    person_id: int,
    object_key: str,
    reason: str,
    state: dict[str, Any],
    times: Times,
    session: Session,
) -> tuple[int, bool]:
    """Leave an object to the hard queue; return (id, whether this call did). The same key again changes nothing."""
    known = session.execute(select(col(Skip.id)).where(col(Skip.key) == key)).scalar_one_or_none()
    if known is not None:
        return int(known), False
    skip = Skip(
        key=key,
        image_id=image_id,
        person_id=person_id,
        object_key=object_key,
        reason=reason,
        state=state,
        waiting_ms=times.waiting_ms,
        thinking_ms=times.thinking_ms,
        prompting_ms=times.prompting_ms,
        painting_ms=times.painting_ms,
    )
    session.add(skip)
    session.flush()
    return skip.id or 0, True


def take_back(ref: int | str, *, session: Session) -> Touched:
    """Take an object out of the hard queue (again: nothing)."""
    skip = find(ref, session=session)
    changed = skip.taken_back_at is None
    skip.taken_back_at = skip.taken_back_at or now()
    session.flush()
    return Touched(skip.id or 0, skip.image_id, changed)


def put_back(ref: int | str, *, session: Session) -> Touched:
    """Put an object that was taken back into the hard queue again (again: nothing)."""
    skip = find(ref, session=session)
    changed = skip.taken_back_at is not None
    skip.taken_back_at = None
    session.flush()
    return Touched(skip.id or 0, skip.image_id, changed)


def open_of_image(image_id: int, *, session: Session) -> list[SkipRow]:
    """Return the objects of an image that wait in the hard queue, oldest first."""
    query = select(Skip).where(col(Skip.image_id) == image_id, col(Skip.taken_back_at).is_(None))
    return [_row(row) for row in session.scalars(query.order_by(col(Skip.id)))]


def waiting(project_id: int, *, session: Session, limit: int) -> list[SkipRow]:
    """Return the objects of a project's images that wait in the hard queue, oldest first."""
    query = _waiting(select(Skip), project_id).order_by(col(Skip.id)).limit(limit)
    return [_row(row) for row in session.scalars(query)]


def count_waiting(project_id: int, *, session: Session, limit: int) -> int:
    """Return how many such objects there are, counted up to a limit; their states are not read."""
    some = _waiting(select(col(Skip.id)), project_id).limit(limit).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _waiting(query: Any, project_id: int) -> Any:
    return query.join(Image, col(Image.id) == col(Skip.image_id)).where(
        col(Image.project_id) == project_id, col(Image.deleted_at).is_(None), col(Skip.taken_back_at).is_(None)
    )


def find(ref: int | str, *, session: Session) -> Skip:
    """Return the row of a skip, taken back or not, by id or key.

    Raises
    ------
    MissingRow
        If there is none.
    """
    where = col(Skip.id) == ref if isinstance(ref, int) else col(Skip.key) == ref
    skip = session.scalars(select(Skip).where(where)).one_or_none()
    if skip is None:
        raise MissingRow(f"skip {str(ref)[:80]!r} must exist, but it does not")
    return skip


def _row(row: Skip) -> SkipRow:
    return SkipRow(row.id or 0, row.key, row.image_id, row.object_key, row.reason, row.state, row.created_at)


def reasons(project_id: int, *, by: Narrow, session: Session) -> dict[str, int]:
    """Return how many objects some people skipped in a time, for which reason; no version skips any."""
    query = (
        select(col(Skip.reason), func.count())
        .join(Image, col(Image.id) == col(Skip.image_id))
        .where(col(Image.project_id) == project_id)
        .group_by(col(Skip.reason))
    )
    query = narrowed(query, by, at=col(Skip.created_at), person=col(Skip.person_id))
    return {str(row[0]): int(row[1]) for row in session.execute(query)}
