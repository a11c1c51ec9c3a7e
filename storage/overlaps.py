"""Queries about images that a second annotator is to do, too."""

from typing import Any

from sqlalchemy import exists, select, update
from sqlmodel import Session, col

from storage.live import live_mask
from storage.models import Image, Mask, Overlap


def offer(project_id: int, image_id: int, first_id: int, *, session: Session) -> None:
    """Note that a person has done an image which a second one is to do; what is noted already stays."""
    if session.get(Overlap, image_id) is None:
        session.add(Overlap(image_id=image_id, project_id=project_id, first_id=first_id))
        session.flush()


def take(project_id: int, person_id: int, *, session: Session) -> int | None:
    """Give the first live image that somebody else has done to a second person, and return it; None if none waits.

    Whoever has a mask on it has seen it already.
    """
    seen = exists().where(col(Mask.image_id) == col(Overlap.image_id), col(Mask.person_id) == person_id, live_mask())
    query = (
        select(col(Overlap.image_id))
        .join(Image, col(Image.id) == col(Overlap.image_id))
        .where(
            col(Overlap.project_id) == project_id,
            col(Overlap.second_id).is_(None),
            col(Overlap.first_id) != person_id,
            col(Image.deleted_at).is_(None),
            ~seen,
        )
        .order_by(col(Overlap.image_id))
        .limit(1)
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        return None
    free = update(Overlap).where(col(Overlap.image_id) == found, col(Overlap.second_id).is_(None))
    result: Any = session.execute(free.values(second_id=person_id))
    return int(found) if result.rowcount == 1 else None
