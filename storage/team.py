"""Queries about the team: who is there, what they have in work, and what they did. Sums, never rows of masks."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from storage.live import active_ms
from storage.models import Event, Image, Mask, Person, SignIn, Work
from storage.rows import AtWorkRow, EventRow, MemberRow


def members(*, since: datetime, session: Session, person_id: int | None = None) -> list[MemberRow]:
    """Return everybody, or one person, with their masks since a moment, oldest account first."""
    made = (
        select(
            col(Mask.person_id).label("person"), func.count().label("masks"), func.sum(active_ms()).label("active_ms")
        )
        .where(col(Mask.created_at) >= since, col(Mask.deleted_at).is_(None))
        .group_by(col(Mask.person_id))
        .subquery()
    )
    seen = select(func.max(col(SignIn.seen_at))).where(col(SignIn.person_id) == col(Person.id)).scalar_subquery()
    query = (
        select(
            col(Person.id),
            col(Person.name),
            col(Person.role),
            col(Person.password_hash).is_not(None),
            col(Person.must_change),
            col(Person.deactivated_at),
            col(Person.email),
            seen,
            func.coalesce(made.c.masks, 0),
            func.coalesce(made.c.active_ms, 0),
        )
        .outerjoin(made, made.c.person == col(Person.id))
        .order_by(col(Person.id))
    )
    if person_id is not None:
        query = query.where(col(Person.id) == person_id)
    return [_member(*row) for row in session.execute(query)]


def _member(*values: Any) -> MemberRow:
    return MemberRow(*values[:8], *map(int, values[8:]))  # PostgreSQL has a type of its own for sums


def at_work(*, since: datetime, session: Session) -> list[AtWorkRow]:
    """Return the objects in work that were touched since a moment, the newest touched first."""
    query = (
        select(col(Work.person_id), col(Work.image_id), col(Image.name), col(Work.started_at))
        .join(Image, col(Image.id) == col(Work.image_id))
        .where(col(Work.updated_at) >= since, col(Image.deleted_at).is_(None))
        .order_by(col(Work.updated_at).desc())
    )
    return [AtWorkRow(*row) for row in session.execute(query)]


def happened(
    *, session: Session, limit: int, before: int | None = None, person_id: int | None = None
) -> list[EventRow]:
    """Return what was done, newest first: the events before event `before`, of one person if given."""
    query = (
        select(
            col(Event.id),
            col(Event.at),
            col(Person.name),
            col(Event.kind),
            col(Image.name),
            col(Event.mask_id),
            col(Event.detail),
        )
        .outerjoin(Person, col(Person.id) == col(Event.person_id))
        .outerjoin(Image, col(Image.id) == col(Event.image_id))
        .order_by(col(Event.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(Event.id) < before)
    if person_id is not None:
        query = query.where(col(Event.person_id) == person_id)
    return [EventRow(*row) for row in session.execute(query)]
