"""Queries about rounds: the same images given to several people, each in a project of their own."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, func, insert, literal, select, update
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.models import Image, Person, Project, Round, Seat
from storage.rows import NewImage, RoundRow, SeatRow
from storage.types import UTCDateTime, now

_COPIED = tuple(name for name in NewImage.__dataclass_fields__ if name != "project_id")


def add(project_id: int, *, person_id: int, name: str, kind: str, passing: dict[str, float], session: Session) -> int:
    """Keep a round without seats and return its id."""
    row = Round(project_id=project_id, person_id=person_id, name=name, kind=kind, passing=passing)
    session.add(row)
    session.flush()
    return row.id or 0


def add_seat(
    round_id: int, person_id: int | None, image_ids: Sequence[int], *, settings: dict[str, Any], session: Session
) -> int:
    """Give a person, or nobody, a seat with copies of some images, which share their files; return its project's id."""
    project = Project(name=f"round {round_id}", settings=settings)
    session.add(project)
    session.flush()
    session.add(Seat(round_id=round_id, person_id=person_id, project_id=project.id or 0))
    add_images(project.id or 0, image_ids, session=session)
    return project.id or 0


def add_images(seat_project_id: int, image_ids: Sequence[int], *, session: Session) -> None:
    """Put copies of some images, which share their files, into a seat."""
    columns = [getattr(Image, name) for name in _COPIED]
    copies = (
        select(literal(seat_project_id, Integer), *columns, literal("new"), literal(now(), UTCDateTime()))
        .where(col(Image.id).in_(image_ids))
        .order_by(col(Image.id))
    )
    session.execute(insert(Image).from_select(["project_id", *_COPIED, "state", "created_at"], copies))
    session.flush()


def copy_of(seat_project_id: int, image_id: int, *, session: Session) -> int | None:
    """Return the copy of an image in a seat, None if there is none."""
    original = select(col(Image.sha256)).where(col(Image.id) == image_id).scalar_subquery()
    query = select(col(Image.id)).where(col(Image.project_id) == seat_project_id, col(Image.sha256) == original)
    return session.scalars(query).one_or_none()


def get(round_id: int, *, session: Session) -> RoundRow:
    """Return a round.

    Raises
    ------
    MissingRow
        If there is none.
    """
    found = find(round_id, session=session)
    if found is None:
        raise MissingRow(f"round {round_id} must exist, but does not")
    return found


def every(project_id: int, *, session: Session) -> list[RoundRow]:
    """Return a project's rounds, newest first."""
    query = select(Round).where(col(Round.project_id) == project_id).order_by(col(Round.id).desc())
    return [_row(row) for row in session.scalars(query)]


def close(round_id: int, *, session: Session) -> None:
    """End a round: its seats are no longer offered."""
    session.execute(update(Round).where(col(Round.id) == round_id).values(closed_at=now()))


def find(round_id: int, *, session: Session) -> RoundRow | None:
    """Return a round, or None if there is none."""
    row = session.get(Round, round_id)
    return None if row is None else _row(row)


def of_seat(seat_project_id: int, *, session: Session) -> RoundRow | None:
    """Return the round that a project is a seat in, or None if it is none."""
    query = select(Round).join(Seat, col(Seat.round_id) == col(Round.id)).where(col(Seat.project_id) == seat_project_id)
    found = session.scalars(query).one_or_none()
    return None if found is None else _row(found)


def set_passed(seat_project_id: int, *, session: Session) -> None:
    """Note that whoever sits here has passed the calibration."""
    session.execute(update(Seat).where(col(Seat.project_id) == seat_project_id).values(passed=True))


def seats(round_id: int, *, session: Session) -> list[SeatRow]:
    """Return a round's seats and how far each is; nobody's comes first."""
    found = session.execute(_seats().where(col(Seat.round_id) == round_id).order_by(col(Seat.id)))
    rows = [SeatRow(*values) for values in found]
    return sorted(rows, key=lambda row: row.person_id is not None)


def seat(round_id: int, person_id: int, *, session: Session) -> SeatRow | None:
    """Return a person's seat in a round, or None."""
    query = _seats().where(col(Seat.round_id) == round_id, col(Seat.person_id) == person_id)
    found = session.execute(query).one_or_none()
    return None if found is None else SeatRow(*found)


def seats_of(person_id: int, project_id: int, *, session: Session) -> list[tuple[RoundRow, SeatRow]]:
    """Return a person's seats in a project's open rounds, oldest first."""
    query = (
        _seats()
        .add_columns(Round)
        .where(col(Seat.person_id) == person_id, col(Round.project_id) == project_id, col(Round.closed_at).is_(None))
        .order_by(col(Round.id))
    )
    return [(_row(values[-1]), SeatRow(*values[:-1])) for values in session.execute(query)]


def images_of(seat_project_id: int, *, session: Session) -> dict[str, int]:
    """Return the images of a seat: their ids, by the hash of their original."""
    query = select(col(Image.sha256), col(Image.id)).where(col(Image.project_id) == seat_project_id)
    return {str(row[0]): int(row[1]) for row in session.execute(query.order_by(col(Image.id)))}


def done_of(seat_project_id: int, *, session: Session) -> set[int]:
    """Return the images of a seat that are done."""
    query = select(col(Image.id)).where(col(Image.project_id) == seat_project_id, col(Image.state) == "done")
    return {int(found) for found in session.scalars(query) if found is not None}


def _seats() -> Any:
    images = select(func.count()).select_from(Image).where(col(Image.project_id) == col(Seat.project_id))
    masks = select(func.coalesce(func.sum(col(Image.live_masks)), 0)).where(
        col(Image.project_id) == col(Seat.project_id)
    )
    return (
        select(
            col(Seat.round_id),
            col(Seat.person_id),
            col(Person.name),
            col(Seat.project_id),
            col(Seat.passed),
            images.scalar_subquery(),
            images.where(col(Image.state) == "done").scalar_subquery(),
            masks.scalar_subquery(),
        )
        .join(Round, col(Round.id) == col(Seat.round_id))
        .join(Person, col(Person.id) == col(Seat.person_id), isouter=True)
    )


def _row(row: Round) -> RoundRow:
    return RoundRow(
        id=row.id or 0,
        project_id=row.project_id,
        person_id=row.person_id,
        name=row.name,
        kind=row.kind,
        passing=row.passing,
        created_at=row.created_at,
        closed_at=row.closed_at,
    )
