"""Queries about events: who did what, when."""

from typing import Any

from sqlmodel import Session

from storage.models import Event


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
    session.add(Event(kind=kind, person_id=person_id, image_id=image_id, mask_id=mask_id, detail=detail or {}))
