"""Queries about model versions."""

from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.models import ModelVersion
from storage.rows import ModelVersionRow


def register(
    name: str,
    *,
    content_hash: str,
    encoder_hash: str,
    detail: dict[str, Any],
    session: Session,
    parent_id: int | None = None,
) -> ModelVersionRow:
    """Return the version with this content, made if it is new."""
    known = by_hash(content_hash, session=session)
    if known is None:
        version = ModelVersion(
            name=name, content_hash=content_hash, encoder_hash=encoder_hash, parent_id=parent_id, detail=detail
        )
        session.add(version)
        session.flush()
        return _row(version)
    return known


def by_hash(content_hash: str, *, session: Session) -> ModelVersionRow | None:
    """Return the version with this content, or None."""
    query = select(ModelVersion).where(col(ModelVersion.content_hash) == content_hash)
    version = session.scalars(query).one_or_none()
    return None if version is None else _row(version)


def get(version_id: int, *, session: Session) -> ModelVersionRow:
    """Return a version.

    Raises
    ------
    MissingRow
        If there is none.
    """
    version = session.get(ModelVersion, version_id)
    if version is None:
        raise MissingRow(f"model version {version_id} must exist, but does not")
    return _row(version)


def every(*, session: Session) -> list[ModelVersionRow]:
    """Return all versions, newest first: as many as models were used and retrainings done."""
    return [_row(version) for version in session.scalars(select(ModelVersion).order_by(col(ModelVersion.id).desc()))]


def by_hash_prefix(prefix: str, *, session: Session) -> int | None:
    """Return the id of the one version whose content hash begins so, or None."""
    column = col(ModelVersion.content_hash)
    query = select(col(ModelVersion.id)).where(column.startswith(prefix, autoescape=True)).limit(2)
    found = list(session.scalars(query))
    return found[0] if len(found) == 1 else None


def _row(version: ModelVersion) -> ModelVersionRow:
    return ModelVersionRow(
        version.id or 0,
        version.name,
        version.content_hash,
        version.encoder_hash,
        version.parent_id,
        version.detail,
        version.created_at,
    )
