"""Queries about flags."""

from collections.abc import Iterable

from sqlalchemy import insert as insert_rows
from sqlalchemy import select
from sqlmodel import Session, col

from storage import models
from storage.errors import MissingRow
from storage.rows import FlagRow, NewFlag
from storage.types import now


def insert(mask_id: int, said: Iterable[NewFlag], *, session: Session) -> None:
    """Keep what checks said of a mask."""
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
        session.execute(insert_rows(models.FlagRow), rows)


def of_masks(mask_ids: list[int], *, session: Session) -> dict[int, list[FlagRow]]:
    """Return the flags of each mask that has any, in the order they were said."""
    table = models.FlagRow
    query = select(table).where(col(table.mask_id).in_(mask_ids)).order_by(col(table.mask_id), col(table.id))
    flags: dict[int, list[FlagRow]] = {}
    for row in session.scalars(query):
        flag = FlagRow(row.id or 0, row.mask_id, row.name, row.severity, row.message, row.detail, row.resolution)
        flags.setdefault(row.mask_id, []).append(flag)
    return flags


def resolve(flag_id: int, resolution: str | None, *, session: Session) -> None:
    """Note what the annotator did about a flag: "kept", "fixed", or None to open it again.

    Raises
    ------
    MissingRow
        If there is no such flag.
    """
    flag = session.get(models.FlagRow, flag_id)
    if flag is None:
        raise MissingRow(f"flag {flag_id} must exist, but it does not")
    flag.resolution = resolution
    flag.resolved_at = now() if resolution else None
    session.flush()
