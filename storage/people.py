"""Queries about people."""

from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.models import Person
from storage.rows import PersonRow


def get_or_create(name: str, *, session: Session) -> PersonRow:
    """Return the person of this name, made if new."""
    person = session.scalars(select(Person).where(col(Person.name) == name)).one_or_none()
    if person is None:
        person = Person(name=name)
        session.add(person)
        session.flush()
    return PersonRow(person.id or 0, person.name, person.preferences)


def get(person_id: int, *, session: Session) -> PersonRow:
    """Return a person.

    Raises
    ------
    MissingRow
        If there is none.
    """
    person = session.get(Person, person_id)
    if person is None:
        raise MissingRow(f"person {person_id} must exist, but does not")
    return PersonRow(person_id, person.name, person.preferences)


def names(*, session: Session) -> dict[int, str]:
    """Return everybody's name, by id."""
    return {int(row[0]): str(row[1]) for row in session.execute(select(col(Person.id), col(Person.name)))}


def set_preferences(person_id: int, preferences: dict[str, Any], *, session: Session) -> None:
    """Keep a person's preferences in place of the old ones."""
    person = session.get(Person, person_id)
    if person is None:
        raise MissingRow(f"person {person_id} must exist, but does not")
    person.preferences = preferences
    session.flush()
