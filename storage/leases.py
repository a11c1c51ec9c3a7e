"""Queries about leases: who is on an image. One conditional UPDATE decides; a lease ends by itself."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, case, delete, exists, insert, literal, or_, select, update
from sqlmodel import Session, col

from storage.models import Lease, Person
from storage.rows import LeaseRow
from storage.types import UTCDateTime

LEASE: Final = timedelta(minutes=10)
"""How long an image stays somebody's without a sign of life."""
QUIET: Final = timedelta(minutes=3)
"""How long without one until somebody else may take it over on purpose."""


def take(image_id: int, person_id: int, client: str, *, at: datetime, session: Session, quiet: bool = False) -> bool:
    """Give an image to a person, or keep it theirs for another while; return False if it is somebody else's.

    With `quiet` it is taken from somebody else, too, who has given no sign of life for `QUIET`.
    """
    own = col(Lease.person_id) == person_id
    over = col(Lease.expires_at) <= (at + LEASE - QUIET if quiet else at)
    query = update(Lease).where(col(Lease.image_id) == image_id, or_(own, over))
    since = case((and_(own, col(Lease.expires_at) > at), col(Lease.taken_at)), else_=literal(at, UTCDateTime()))
    result: Any = session.execute(
        query.values(person_id=person_id, client=client, taken_at=since, expires_at=at + LEASE)
    )
    if result.rowcount == 1:
        return True
    new = select(
        literal(image_id),
        literal(person_id),
        literal(client),
        literal(at, UTCDateTime()),
        literal(at + LEASE, UTCDateTime()),
    ).where(~exists().where(col(Lease.image_id) == image_id))
    columns = ["image_id", "person_id", "client", "taken_at", "expires_at"]
    made = insert(Lease).from_select(columns, new).returning(col(Lease.image_id))
    return session.scalars(made).first() is not None


def release(image_id: int, person_id: int, *, session: Session, client: str | None = None) -> None:
    """Let an image go; with `client`, only if no other tab of the person has shown a sign of life since."""
    query = delete(Lease).where(col(Lease.image_id) == image_id, col(Lease.person_id) == person_id)
    if client is not None:
        query = query.where(col(Lease.client) == client)
    session.execute(query)


def release_all(person_id: int, *, session: Session) -> None:
    """Let go of every image that a person is on."""
    session.execute(delete(Lease).where(col(Lease.person_id) == person_id))


def of_image(image_id: int, *, at: datetime, session: Session) -> LeaseRow | None:
    """Return who is on an image at a moment, None if nobody is."""
    query = (
        select(col(Lease.image_id), col(Lease.person_id), col(Person.name), col(Lease.taken_at), col(Lease.expires_at))
        .join(Person, col(Person.id) == col(Lease.person_id))
        .where(col(Lease.image_id) == image_id, col(Lease.expires_at) > at)
    )
    found = session.execute(query).one_or_none()
    return None if found is None else LeaseRow(*found)


def shorten(*, at: datetime, session: Session) -> None:
    """Let no lease last longer than one that is taken now: after the clock was set back they would."""
    query = update(Lease).where(col(Lease.expires_at) > at + LEASE)
    session.execute(query.values(expires_at=at + LEASE))
