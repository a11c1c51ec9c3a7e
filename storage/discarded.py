"""Queries about files that are to be deleted, and about who still uses a file."""

from sqlalchemy import delete, or_, select
from sqlmodel import Session, col

from storage.models import DiscardedFile, Image, ModelVersion


def note(kind: str, sha256: str, *, session: Session) -> None:
    """Note that a file is to be deleted unless an image uses it."""
    session.merge(DiscardedFile(kind=kind, sha256=sha256))
    session.flush()


def every(*, session: Session) -> list[tuple[str, str]]:
    """Return kind and hash of each file that is to be deleted."""
    rows = session.execute(select(col(DiscardedFile.kind), col(DiscardedFile.sha256)))
    return [(kind, sha256) for kind, sha256 in rows]


def forget(kind: str, sha256: str, *, session: Session) -> None:
    """Note that a file is dealt with."""
    query = delete(DiscardedFile).where(col(DiscardedFile.kind) == kind, col(DiscardedFile.sha256) == sha256)
    session.execute(query)


def in_use(sha256: str, *, session: Session) -> bool:
    """Return whether an image, deleted or not, has this working image or thumbnail."""
    used = or_(col(Image.working_sha256) == sha256, col(Image.thumb_sha256) == sha256)
    return session.execute(select(col(Image.id)).where(used).limit(1)).first() is not None


def encoders(*, session: Session) -> list[str]:
    """Return every encoder that ever made embeddings here."""
    return list(session.scalars(select(col(ModelVersion.encoder_hash)).distinct()))
