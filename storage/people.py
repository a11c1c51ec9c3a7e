"""Queries about people."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.models import Person
from storage.rows import PersonRow


def get_or_create(name: str, *, session: Session, role: str = "annotator") -> PersonRow:
    """Return the person of this name, made with this role if new."""
    person = session.scalars(select(Person).where(col(Person.name) == name)).one_or_none()
    if person is None:
        person = Person(name=name, role=role)
        session.add(person)
        session.flush()
    return _row(person)


def get(person_id: int, *, session: Session) -> PersonRow:
    """Return a person.

    Raises
    ------
    MissingRow
        If there is none.
    """
    return _row(_find(person_id, session))


def by_name(name: str, *, session: Session) -> PersonRow | None:
    """Return the person of this name, or None."""
    person = session.scalars(select(Person).where(col(Person.name) == name)).one_or_none()
    return None if person is None else _row(person)


def by_email(email: str, *, session: Session) -> PersonRow | None:
    """Return the person with this address, whoever is active before who is not, or None."""
    query = select(Person).where(col(Person.email) == email)
    person = session.scalars(query.order_by(col(Person.deactivated_at).is_not(None), col(Person.id).desc())).first()
    return None if person is None else _row(person)


def by_subject(subject: str, *, session: Session) -> PersonRow | None:
    """Return the active person with this account at a provider, or None."""
    query = select(Person).where(col(Person.subject) == subject, col(Person.deactivated_at).is_(None))
    person = session.scalars(query).one_or_none()
    return None if person is None else _row(person)


def every(*, session: Session) -> list[PersonRow]:
    """Return everybody, oldest first."""
    return [_row(person) for person in session.scalars(select(Person).order_by(col(Person.id)))]


def names(*, session: Session) -> dict[int, str]:
    """Return everybody's name, by id."""
    return {int(row[0]): str(row[1]) for row in session.execute(select(col(Person.id), col(Person.name)))}


def any_password(*, session: Session) -> bool:
    """Return whether anybody has a password."""
    # A comparison rather than IS NOT NULL, so that the index is searched and not read from its start.
    query = select(col(Person.id)).where(col(Person.password_hash) > "").limit(1)
    return session.execute(query).first() is not None


def any_email(*, session: Session) -> bool:
    """Return whether anybody who is active has an address at a provider."""
    query = select(col(Person.id)).where(col(Person.email).is_not(None), col(Person.deactivated_at).is_(None)).limit(1)
    return session.execute(query).first() is not None


def others(person_id: int, *, roles: Collection[str], session: Session, with_password: bool = False) -> int:
    """Return how many people besides this one have one of the roles and are not deactivated."""
    query = select(func.count()).select_from(Person)
    query = query.where(col(Person.id) != person_id, col(Person.role).in_(roles), col(Person.deactivated_at).is_(None))
    if with_password:
        query = query.where(col(Person.password_hash).is_not(None))
    return int(session.execute(query).scalar_one())


def set_preferences(person_id: int, preferences: dict[str, Any], *, session: Session) -> None:
    """Keep a person's preferences in place of the old ones."""
    _find(person_id, session).preferences = preferences
    session.flush()


def set_role(person_id: int, role: str, *, session: Session) -> None:
    """Give a person another role."""
    session.execute(update(Person).where(col(Person.id) == person_id).values(role=role))


def set_password(person_id: int, password_hash: str, *, must_change: bool, session: Session) -> None:
    """Keep the hash of a person's password in place of the old one."""
    query = update(Person).where(col(Person.id) == person_id)
    session.execute(query.values(password_hash=password_hash, must_change=must_change))


def set_email(person_id: int, email: str | None, *, session: Session) -> None:
    """Keep a person's address in place of the old one; which account comes with it is open again."""
    session.execute(update(Person).where(col(Person.id) == person_id).values(email=email, subject=None))


def set_subject(person_id: int, subject: str, *, session: Session) -> None:
    """Keep which account at a provider is a person's."""
    session.execute(update(Person).where(col(Person.id) == person_id).values(subject=subject))


def set_deactivated(person_id: int, at: datetime | None, *, session: Session) -> None:
    """Close a person's account, or with None open it again."""
    session.execute(update(Person).where(col(Person.id) == person_id).values(deactivated_at=at))


def _find(person_id: int, session: Session) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise MissingRow(f"person {person_id} must exist, but does not")
    return person


def _row(person: Person) -> PersonRow:
    return PersonRow(
        person.id or 0,
        person.name,
        person.preferences,
        person.role,
        person.password_hash,
        person.must_change,
        person.deactivated_at,
        person.email,
        person.subject,
    )
