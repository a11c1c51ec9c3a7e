"""What a backup says of itself: its database, its files, and what was lost before it was made."""

import os
import stat
import uuid
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InvalidInput

MANIFEST: Final = "manifest.json"
FILES: Final = "files"
DATABASE: Final = "masksmith.db"
MANIFEST_BYTES: Final = 1024**3
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Bytes = Annotated[int, Field(ge=0, lt=2**60)]


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Kept(_Read):
    """One file of a backup."""

    kind: Literal["originals", "working", "thumbs", "checkpoints", "guidelines"]
    sha256: Sha256
    bytes: Bytes


class Missing(_Read):
    """A file that the database knows, but that was gone or damaged when the backup was made."""

    kind: Literal["originals", "working", "thumbs", "checkpoints", "guidelines"]
    sha256: Annotated[str, Field(max_length=64)]


class Copied(_Read):
    """The database of a backup, and how many rows its tables have."""

    sha256: Sha256
    bytes: Bytes
    rows: dict[str, int]


class Manifest(_Read):
    """What a backup holds; without a database it belongs to one that is kept elsewhere."""

    masksmith_backup: Literal[1]
    made_at: str
    database: Copied | None
    files: list[Kept]
    missing: list[Missing]


def write(folder: Path, manifest: Manifest) -> None:
    """Put the manifest into its place, so that the folder holds the backup before or this one."""
    temporary = folder / f"{MANIFEST}.{uuid.uuid4().hex}.tmp"
    try:
        temporary.write_text(manifest.model_dump_json() + "\n", encoding="utf-8")
        sync(temporary)
        temporary.replace(folder / MANIFEST)
        sync(folder)
    finally:
        temporary.unlink(missing_ok=True)


def read(folder: Path) -> Manifest:
    """Return the manifest of a backup.

    Raises
    ------
    InvalidInput
        If the folder holds none, or one that is not of this version.
    """
    try:
        path = plain(folder, Path(MANIFEST))
        if path.stat().st_size > MANIFEST_BYTES:
            raise InvalidInput(f"a backup's manifest must be at most {MANIFEST_BYTES} bytes, got {path.stat().st_size}")
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:80] or "it"
        raise InvalidInput(f"a backup's manifest must be one of this version, but {where}: {first['msg']}") from error
    except OSError as error:
        raise InvalidInput(f"{str(folder)!r} must hold a backup with its manifest, got: {error.strerror}") from error


def plain(folder: Path, place: Path) -> Path:
    """Return a file of a backup that is no link, nor below one, and no pipe that would be waited for."""
    path = folder
    for part in place.parts:
        path /= part
        if stat.S_ISLNK(path.lstat().st_mode):
            raise InvalidInput(f"a backup must hold its own files, but {place} is a link")
    if not stat.S_ISREG(path.lstat().st_mode):
        raise InvalidInput(f"a backup must hold files, but {place} is something else")
    return path


def database_name(copied: Copied) -> str:
    """Return the name under which a backup keeps its database."""
    return f"{DATABASE}.{copied.sha256[:16]}"


def sync(path: Path) -> None:
    """Let a file or folder reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
