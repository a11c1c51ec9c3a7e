"""Queries about proposals: imported masks that nobody has accepted, fixed or deleted yet."""

from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlmodel import Session, col

from storage import tallies
from storage.live import IMPORTED
from storage.models import FlagRow, Image, Mask
from storage.rows import FlagRow as Flag
from storage.rows import LibraryNameRow, NewFlag

_SOME: Final = 500


def open_flag(mask_id: int, *, session: Session) -> Flag | None:
    """Return the flag that makes a mask a proposal, None if it is none."""
    query = select(FlagRow).where(
        col(FlagRow.mask_id) == mask_id, col(FlagRow.name) == IMPORTED, col(FlagRow.resolution).is_(None)
    )
    row = session.scalars(query.limit(1)).first()
    if row is None:
        return None
    return Flag(row.id or 0, row.mask_id, row.name, row.severity, row.message, row.detail, row.resolution)


def flag_of(flag_id: int, *, session: Session) -> int | None:
    """Return the mask that a flag makes, or made, a proposal; None if it is another flag."""
    query = select(col(FlagRow.mask_id)).where(col(FlagRow.id) == flag_id, col(FlagRow.name) == IMPORTED)
    return session.execute(query).scalar_one_or_none()


def hand_over(mask_id: int, person_id: int, *, session: Session) -> int:
    """Make a person the author of a mask that was just accepted, as they answer for it; return the mask's image."""
    with tallies.changing([mask_id], session=session):
        session.execute(update(Mask).where(col(Mask.id) == mask_id).values(person_id=person_id))
    return int(session.execute(select(col(Mask.image_id)).where(col(Mask.id) == mask_id)).scalar_one())


def known(keys: list[str], *, session: Session) -> set[str]:
    """Return those of the keys that masks have, deleted ones too."""
    found: set[str] = set()
    for start in range(0, len(keys), _SOME):
        query = select(col(Mask.key)).where(col(Mask.key).in_(keys[start : start + _SOME]))
        found.update(session.scalars(query))
    return found


def add_flags(said: list[tuple[int, NewFlag]], *, session: Session) -> None:
    """Keep one flag of each of many masks."""
    rows = [
        {
            "mask_id": mask_id,
            "name": flag.name,
            "severity": flag.severity,
            "message": flag.message,
            "detail": flag.detail,
        }
        for mask_id, flag in said
    ]
    if rows:
        session.execute(insert(FlagRow), rows)


def named(project_id: int, names: list[str], *, session: Session) -> list[LibraryNameRow]:
    """Return the live images of a project that have one of some names."""
    possible = [name for name in names if "\0" not in name]  # PostgreSQL refuses to be asked for such a name
    return _images(project_id, col(Image.name).in_(possible), session)


def numbered(project_id: int, image_id: int, *, session: Session) -> list[LibraryNameRow]:
    """Return the live image of this id, in a list, or an empty one."""
    return _images(project_id, col(Image.id) == image_id, session)


def with_original(project_id: int, sha256: str, *, session: Session) -> list[LibraryNameRow]:
    """Return the live image whose original has this hash, in a list, or an empty one."""
    return _images(project_id, col(Image.sha256) == sha256, session)


def working_hashes(project_id: int, *, session: Session) -> dict[bytes, int]:
    """Return the image of each working image's hash."""
    query = select(col(Image.working_sha256), col(Image.id)).where(
        col(Image.project_id) == project_id, col(Image.deleted_at).is_(None)
    )
    return {bytes.fromhex(row[0]): int(row[1]) for row in session.execute(query)}


def _images(project_id: int, where: Any, session: Session) -> list[LibraryNameRow]:
    query = select(
        col(Image.id),
        col(Image.name),
        col(Image.sha256),
        col(Image.width),
        col(Image.height),
        col(Image.original_width),
        col(Image.original_height),
    ).where(col(Image.project_id) == project_id, col(Image.deleted_at).is_(None), where)
    return [LibraryNameRow(*row) for row in session.execute(query.order_by(col(Image.id)))]
