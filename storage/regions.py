"""Queries about faces and number plates: boxes on images, which images were searched, who looked at the outcome."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, exists, func, select, update
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.models import Image, RegionRow, Search
from storage.rows import BoxRow, NewBox, SearchRow
from storage.types import now

NEVER = ""
"""The detector of an image that has boxes, but was not searched yet."""


def of_image(image_id: int, *, session: Session, removed: bool = False) -> list[BoxRow]:
    """Return the boxes of an image, oldest first; with `removed` those that are blurred no more as well."""
    query = select(RegionRow).where(col(RegionRow.image_id) == image_id).order_by(col(RegionRow.id))
    if not removed:
        query = query.where(col(RegionRow.removed_at).is_(None))
    return [_row(row) for row in session.scalars(query)]


def of_working(working_sha256: str, *, session: Session) -> list[tuple[float, float, float, float]]:
    """Return what is blurred in a working image, whichever image it is of: copies in rounds have no boxes of theirs."""
    box = (col(RegionRow.x0), col(RegionRow.y0), col(RegionRow.x1), col(RegionRow.y1))
    query = select(*box).join(Image, col(Image.id) == col(RegionRow.image_id)).distinct().order_by(*box)
    query = query.where(col(Image.working_sha256) == working_sha256, col(RegionRow.removed_at).is_(None))
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(query)]


def get(box_id: int, *, session: Session) -> BoxRow:
    """Return a box.

    Raises
    ------
    MissingRow
        If there is none.
    """
    row = session.get(RegionRow, box_id)
    if row is None:
        raise MissingRow(f"box {box_id} must be on an image, but there is none of this number")
    return _row(row)


def add(
    image_id: int, new: Sequence[NewBox], *, source: str, session: Session, person_id: int | None = None
) -> list[int]:
    """Put boxes on an image and return their ids."""
    rows = [
        RegionRow(
            image_id=image_id,
            kind=one.kind,
            x0=one.box[0],
            y0=one.box[1],
            x1=one.box[2],
            y1=one.box[3],
            source=source,
            score=one.score,
            person_id=person_id,
        )
        for one in new
    ]
    session.add_all(rows)
    session.flush()
    return [row.id or 0 for row in rows]


def remove(box_id: int, *, person_id: int, session: Session) -> None:
    """Note that a box is not to be blurred any more, and by whom."""
    query = update(RegionRow).where(col(RegionRow.id) == box_id, col(RegionRow.removed_at).is_(None))
    session.execute(query.values(removed_at=now(), removed_by=person_id))


def search_of(image_id: int, *, session: Session) -> SearchRow | None:
    """Return what is known of the search of an image, or None."""
    query = select(col(Search.image_id), col(Search.detector), col(Search.seen_at)).where(
        col(Search.image_id) == image_id
    )
    found = session.execute(query).one_or_none()
    return None if found is None else SearchRow(*found)


def searched(image_id: int, project_id: int, detector: str, *, to_check: bool, session: Session) -> None:
    """Note that a detector searched an image; with `to_check` somebody is to look at the outcome."""
    known = session.scalars(select(Search).where(col(Search.image_id) == image_id)).one_or_none()
    if known is None:
        seen_at = None if to_check else now()
        session.add(Search(image_id=image_id, project_id=project_id, detector=detector, seen_at=seen_at))
    else:
        known.detector, known.searched_at = detector, now()
        if to_check:
            known.seen_at = known.seen_by = None
    session.flush()


def set_seen(image_id: int, person_id: int, *, session: Session) -> None:
    """Note that somebody looked at what was found on an image."""
    query = update(Search).where(col(Search.image_id) == image_id)
    session.execute(query.values(seen_at=now(), seen_by=person_id))


def to_search(project_id: int, detector: str, *, session: Session, after: int, limit: int) -> list[int]:
    """Return the ids of images after `after` that this detector has not searched, in order of id."""
    query = _unsearched(select(col(Image.id)), project_id, detector).where(col(Image.id) > after)
    return [int(found) for found in session.scalars(query.order_by(col(Image.id)).limit(limit)) if found is not None]


def count_to_search(project_id: int, detector: str, *, session: Session) -> int:
    """Return how many images this detector has not searched."""
    query = _unsearched(select(func.count()).select_from(Image), project_id, detector)
    return int(session.execute(query).scalar_one())


def _unsearched(query: Select[Any], project_id: int, detector: str) -> Select[Any]:
    mine = exists().where(col(Search.image_id) == col(Image.id), col(Search.detector) == detector)
    return query.where(col(Image.project_id) == project_id, col(Image.deleted_at).is_(None), ~mine)


def page(project_id: int, *, seen: bool, session: Session, offset: int, limit: int) -> list[int]:
    """Return the ids of images with boxes in order of import: those somebody looked at, or those that wait for it."""
    query = _with_boxes(select(col(Search.image_id)), project_id, seen=seen).order_by(col(Search.image_id))
    return [int(found) for found in session.scalars(query.offset(offset).limit(limit))]


def count(project_id: int, *, seen: bool, session: Session) -> int:
    """Return how many images `page` goes through."""
    query = _with_boxes(select(func.count()).select_from(Search), project_id, seen=seen)
    return int(session.execute(query).scalar_one())


def _with_boxes(query: Select[Any], project_id: int, *, seen: bool) -> Select[Any]:
    state = col(Search.seen_at).is_not(None) if seen else col(Search.seen_at).is_(None)
    boxes = exists().where(col(RegionRow.image_id) == col(Search.image_id), col(RegionRow.removed_at).is_(None))
    live = exists().where(col(Image.id) == col(Search.image_id), col(Image.deleted_at).is_(None))
    return query.where(col(Search.project_id) == project_id, state, boxes, live)


def _row(row: RegionRow) -> BoxRow:
    return BoxRow(
        row.id or 0,
        row.image_id,
        row.kind,
        (row.x0, row.y0, row.x1, row.y1),
        row.source,
        row.score,
        row.person_id,
        row.removed_at,
    )
