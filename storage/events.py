"""Queries about events: who did what, when."""

from typing import Any, Final

from sqlalchemy import insert
from sqlmodel import Session

from storage.models import Event
from storage.tables import table_of
from storage.types import now

_INSERT: Final = insert(table_of(Event))


def add(
    kind: str,
    *,
    session: Session,
    person_id: int | None = None,
    image_id: int | None = None,
    mask_id: int | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Note that something was done, now."""
    of = {"person_id": person_id, "image_id": image_id, "mask_id": mask_id}
    session.execute(_INSERT, {"at": now(), "kind": kind, **of, "detail": detail or {}})
