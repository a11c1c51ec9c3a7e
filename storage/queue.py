"""Queries about which image comes next for a person: what came back to them, then what is open and free."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, text
from sqlmodel import Session, col

from storage.models import OPEN, RETURNED, Image, Lease, Mask
from storage.rows import ReturnedRow


def candidates(
    project_id: int, person_id: int, *, at: datetime, passed: Collection[int], session: Session, limit: int
) -> list[int]:
    """Return the next images that are not done and on which nobody else is: by priority, place, and as imported.

    `passed` are left out.
    """
    # OPEN stands in the text as in the index: behind a parameter SQLite would not know it again.
    query = select(col(Image.id)).where(
        col(Image.project_id) == project_id, text(OPEN), _free(person_id, at), col(Image.id).not_in(passed)
    )
    query = query.order_by(col(Image.priority), col(Image.place), col(Image.id)).limit(limit)
    return [int(found) for found in session.scalars(query) if found is not None]


def returned(
    project_id: int, person_id: int, *, at: datetime, passed: Collection[int], session: Session
) -> ReturnedRow | None:
    """Return the oldest mask that came back to its author from review, on an image that is free; None if none did."""
    # A subquery, so that the names in RETURNED are the mask's alone; the project as a sum is no way to the masks.
    back = select(col(Mask.id), col(Mask.image_id)).where(col(Mask.person_id) == person_id, text(RETURNED))
    masks = back.order_by(col(Mask.id)).subquery()
    query = (
        select(masks.c.id, masks.c.image_id)
        .join(Image, col(Image.id) == masks.c.image_id)
        .where(
            col(Image.project_id) + 0 == project_id,
            col(Image.deleted_at).is_(None),
            _free(person_id, at),
            col(Image.id).not_in(passed),
        )
        .order_by(masks.c.id)
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    return None if found is None else ReturnedRow(int(found[0]), int(found[1]))


def _free(person_id: int, at: datetime) -> Any:
    """Return the condition of an image on which nobody else is."""
    held = exists().where(
        col(Lease.image_id) == col(Image.id), col(Lease.person_id) != person_id, col(Lease.expires_at) > at
    )
    return ~held
