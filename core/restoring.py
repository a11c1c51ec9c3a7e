"""A library made of a backup, once every hash in it is right."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core import backup_manifest
from core.backup_manifest import DATABASE, FILES, Copied, Manifest, database_name, plain
from core.errors import InvalidInput
from storage import migrate, snapshots
from storage.engine import make_engines
from storage.errors import DiskFull, StorageError, unwritable
from storage.files import FileStore

_CHUNK: Final = 1024 * 1024
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class RestoreReport:
    """What was restored."""

    data: str
    made_at: str
    database: bool
    rows: dict[str, int]
    files: int
    bytes: int
    missing: list[str]

    def sentence(self) -> str:
        """Return the report in a few sentences."""
        text = f"{self.files} files of {self.bytes / 1e6:.1f} MB are in {self.data}, as of {self.made_at}"
        if self.database:
            text += f", with {self.rows.get('image', 0)} images and {self.rows.get('mask', 0)} masks."
        else:
            text += "; restore the database with pg_restore."
        if self.missing:
            text += f" {len(self.missing)} files were missing already when the backup was made."
        return text


def restore(folder: Path, data: Path, *, progress: Progress | None = None) -> RestoreReport:
    """Make the new or empty folder `data` a library from a backup, once every hash in it is right.

    It is put together under another name first, so `data` appears complete or not at all.

    Raises
    ------
    InvalidInput
        If `data` is not empty, or the folder holds no backup, or a damaged one, or one that leads elsewhere.
    StorageError
        If `data` cannot be written.
    """
    folder, data = folder.resolve(), data.resolve()
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise InvalidInput(f"a backup must be restored into a new or empty folder, got {str(data)!r}")
    manifest = backup_manifest.read(folder)
    temporary = data.parent / f".{data.name}.{uuid.uuid4().hex}.part"
    try:
        temporary.mkdir(parents=True)
        _refuse_small_disk(manifest, temporary)
        if manifest.database is not None:
            _restore_database(manifest, manifest.database, folder, temporary)
        files = FileStore(Path(FILES))
        for done, kept in enumerate(manifest.files, start=1):
            place = files.path(kept.kind, kept.sha256)
            _copy(folder, place, temporary / place, kept.sha256, kept.bytes)
            if progress:
                progress(done, len(manifest.files))
        (temporary / FILES).mkdir(exist_ok=True)
        os.sync()
        if data.exists():
            data.rmdir()
        temporary.replace(data)
    except OSError as error:
        raise unwritable(f"the folder {data}", error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    copied = manifest.database
    return RestoreReport(
        str(data),
        manifest.made_at,
        copied is not None,
        copied.rows if copied else {},
        len(manifest.files),
        sum(kept.bytes for kept in manifest.files),
        [f"{gone.kind}/{gone.sha256[:12]}" for gone in manifest.missing],
    )


def _restore_database(manifest: Manifest, copied: Copied, folder: Path, temporary: Path) -> None:
    """Copy the database, and see that it is whole, of a known version, and that no file it knows is left out."""
    place = temporary / DATABASE
    _copy(folder, Path(database_name(copied)), place, copied.sha256, copied.bytes)
    try:
        with snapshots.opened(place) as session:
            snapshots.check(session)
            rows, wanted = snapshots.counts(session), snapshots.references(session)
        engines = make_engines(f"sqlite:///{place}")
        try:
            migrate.pending(engines)
        finally:
            engines.dispose()
    except StorageError as error:
        raise InvalidInput(f"the backup's database cannot be used: {error}") from error
    if rows != copied.rows:
        raise InvalidInput("the backup's database must have as many rows as its manifest says, but has not")
    named = {(one.kind, one.sha256) for one in manifest.files} | {(one.kind, one.sha256) for one in manifest.missing}
    if left_out := sorted(wanted - named):
        kind, sha256 = left_out[0]
        raise InvalidInput(
            f"a backup must name every file its database knows, but the {kind} file {sha256[:12]} is not"
        )


def _copy(folder: Path, place: Path, target: Path, sha256: str, size: int) -> None:
    """Copy a file of a backup, once it is one, of the size and hash it must have."""
    try:
        source = plain(folder, place)
        if source.stat().st_size != size:
            raise InvalidInput(f"the backup's {place} must have {size} bytes, got {source.stat().st_size}")
        reading = source.open("rb")
    except OSError as error:
        raise InvalidInput(f"the backup's {place} must be readable, got: {error.strerror}") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    hasher = hashlib.sha256()
    with reading, target.open("wb") as writing:
        while chunk := reading.read(_CHUNK):
            hasher.update(chunk)
            writing.write(chunk)
    if hasher.hexdigest() != sha256:
        raise InvalidInput(f"the backup's {place} must match its hash, but was changed since it was made")


def _refuse_small_disk(manifest: Manifest, temporary: Path) -> None:
    needed = sum(kept.bytes for kept in manifest.files) + (manifest.database.bytes if manifest.database else 0)
    free = shutil.disk_usage(temporary).free
    if needed > free:
        raise DiskFull(f"restoring must have {needed / 1e6:.0f} MB of free disk, got {free / 1e6:.0f} MB")
