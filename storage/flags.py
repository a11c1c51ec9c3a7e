"""Queries about flags."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, case, delete, exists, func, select
from sqlalchemy import insert as insert_rows
from sqlmodel import Session, col

from storage import models, tallies
from storage.errors import MissingRow
from storage.rows import AnswersRow, FlagRow, NewFlag
from storage.tables import table_of
from storage.types import now

_FLAG: Final = table_of(models.FlagRow)
_INSERT: Final = insert_rows(_FLAG)
_ROW: Final = ("id", "mask_id", "name", "severity", "message", "detail", "resolution")
_OF_MASKS: Final = (
    select(*(_FLAG.c[name] for name in _ROW))
    .where(_FLAG.c.mask_id.in_(bindparam("mask_ids", expanding=True)))
    .order_by(_FLAG.c.mask_id, _FLAG.c.id)
)


def insert(mask_id: int, said: Iterable[NewFlag], *, session: Session) -> None:
    """Keep what checks said of a mask; whoever calls counts it."""
    rows = [
        {
            "mask_id": mask_id,
            "name": flag.name,
            "severity": flag.severity,
            "message": flag.message,
            "detail": flag.detail,
        }
        for flag in said
    ]
    if rows:
        session.execute(_INSERT, rows)


def add(said: Mapping[int, Sequence[NewFlag]], *, session: Session) -> None:
    """Keep and count what checks say of masks that are there."""
    with tallies.changing(list(said), session=session):
        for mask_id, flags in said.items():
            insert(mask_id, flags, session=session)


def of_masks(mask_ids: list[int], *, session: Session) -> dict[int, list[FlagRow]]:
    """Return the flags of each mask that has any, in the order they were said."""
    flags: dict[int, list[FlagRow]] = {}
    for row in session.execute(_OF_MASKS, {"mask_ids": mask_ids}):
        flags.setdefault(row.mask_id, []).append(FlagRow(*row))
    return flags


def resolve(flag_id: int, resolution: str | None, *, session: Session) -> None:
    """Note what the annotator did about a flag: "kept", "fixed", or None to open it again.

    Raises
    ------
    MissingRow
        If there is no such flag.
    """
    flag = _find(flag_id, session)
    with tallies.changing([flag.mask_id], session=session):
        flag.resolution = resolution
        flag.resolved_at = now() if resolution else None
        session.flush()


def mask_of(flag_id: int, *, session: Session) -> int:
    """Return the mask that a flag is of.

    Raises
    ------
    MissingRow
        If there is no such flag.
    """
    return _find(flag_id, session).mask_id


def resolution_of(flag_id: int, *, session: Session) -> str | None:
    """Return how a flag was answered, None if it was not.

    Raises
    ------
    MissingRow
        If there is no such flag.
    """
    return _find(flag_id, session).resolution


def _find(flag_id: int, session: Session) -> models.FlagRow:
    flag = session.get(models.FlagRow, flag_id)
    if flag is None:
        raise MissingRow(f"flag {flag_id} must exist, but it does not")
    return flag


def remove_unanswered(flag_ids: list[int], *, session: Session) -> int:
    """Remove those of the flags that nobody has answered; return how many."""
    if not flag_ids:
        return 0
    table = models.FlagRow
    masks = session.scalars(select(col(table.mask_id)).where(col(table.id).in_(flag_ids)).distinct()).all()
    with tallies.changing(masks, session=session):
        query = delete(table).where(col(table.id).in_(flag_ids), col(table.resolution).is_(None))
        return len(session.scalars(query.returning(col(table.id))).all())


def answers(project_id: int, *, session: Session) -> list[AnswersRow]:
    """Return for each name how often its flag was said in a project and what became of it, deleted masks included."""
    table, mask, image, review = models.FlagRow, models.Mask, models.Image, models.Review
    reviewed = exists().where(col(review.mask_id) == col(mask.id))
    faulted = exists().where(col(review.mask_id) == col(mask.id), col(review.verdict) != "approve")
    query = (
        select(
            col(table.name),
            func.count(),
            _count(col(table.resolution) == "fixed"),
            _count(col(table.resolution) == "kept"),
            _count(col(table.resolution).is_(None) & col(mask.deleted_at).is_not(None)),
            _count(reviewed),
            _count(faulted),
        )
        .join(mask, col(mask.id) == col(table.mask_id))
        .join(image, col(image.id) == col(mask.image_id))
        .where(col(image.project_id) == project_id)
        .group_by(col(table.name))
        .order_by(col(table.name))
    )
    return [AnswersRow(*row) for row in session.execute(query)]


def _count(condition: ColumnElement[bool]) -> Any:
    return func.count(case((condition, 1)))
