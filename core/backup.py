"""A copy of the whole library while people work in it, and a library made of such a copy.

A backup is a folder: one state of the database, every file that state refers to under its hash, and a manifest that
names them all. Files never change once they are kept, so they may be copied after the database: what is added
meanwhile is nothing that it knows of. The manifest is renamed into its place last, so the folder holds the backup
before, or this one, and another into the same folder copies what is new.

What can be made again is left out: embeddings, downloaded checkpoints, exports, half-learned retrainings.
"""

import fcntl
import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InvalidInput
from core.hashes import file_sha256
from core.settings import Settings
from storage import migrate, snapshots
from storage.engine import database_file, make_engines
from storage.errors import DiskFull, StorageError, unwritable
from storage.files import FileStore, open_files

MANIFEST: Final = "manifest.json"
FILES: Final = "files"
DATABASE: Final = "masksmith.db"
LOCK: Final = ".lock"
MANIFEST_BYTES: Final = 1024**3
_CHUNK: Final = 1024 * 1024
Progress = Callable[[int, int], None]

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


@dataclass(slots=True)
class BackupReport:
    """What a backup holds, and how much of it was new.

    `copied` of the `files` were not in the folder before. `missing` names what the library knows, but has lost.
    `database` is False where the database is no file.
    """

    folder: str
    database: bool
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    copied: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """Return the report in a few sentences."""
        if self.database:
            text = f"{self.rows.get('image', 0)} images and {self.rows.get('mask', 0)} masks are in {self.folder}, "
        else:
            text = f"The files are in {self.folder}, the database is not: copy it with pg_dump before each backup; "
        text += f"with {self.files} files of {self.bytes / 1e6:.1f} MB, {self.copied} of them new, all read back."
        if self.missing:
            lost = ", ".join(self.missing[:3]) + (" and others" if len(self.missing) > 3 else "")
            text += f" {len(self.missing)} files are missing or damaged in the library itself: {lost}."
        return text


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


def back_up(settings: Settings, folder: Path, *, progress: Progress | None = None) -> BackupReport:
    """Copy the library into `folder`, which is new, empty, or holds an older backup to go on from.

    The library may be in use, and is not changed, its tables not brought up to date. Every file in the folder is
    read and its hash compared, those of earlier backups too; a damaged one is copied again.

    Raises
    ------
    InvalidInput
        If there is no library, or the folder holds anything else, or lies in the library.
    StorageError
        If the library cannot be read or the folder not be written; an older backup in it stays what it is.
    """
    folder = folder.resolve()
    if folder == settings.data or settings.data in folder.parents:
        raise InvalidInput(f"a backup must lie outside the library's own folder, got {str(folder)!r}")
    database = database_file(settings.database_url)
    if database is not None and not database.is_file():
        raise InvalidInput(f"there must be a library to back up, but {str(settings.data)!r} holds none")
    _refuse_other_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            return _backed_up(settings, folder, progress)
    except OSError as error:
        raise unwritable(f"the folder {folder}", error) from error


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
    manifest = _read_manifest(folder)
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


def _backed_up(settings: Settings, folder: Path, progress: Progress | None) -> BackupReport:
    engines = make_engines(settings.database_url)
    temporary = folder / f"{DATABASE}.{uuid.uuid4().hex}.tmp"
    try:
        if snapshots.on_sqlite(engines):
            snapshots.copy(engines, temporary)
            with snapshots.opened(temporary) as session:
                snapshots.check(session)
                rows, wanted = snapshots.counts(session), snapshots.references(session)
            copied = Copied(sha256=file_sha256(temporary), bytes=temporary.stat().st_size, rows=rows)
        else:
            with engines.reading() as session:
                copied, wanted = None, snapshots.references(session)
        report = BackupReport(str(folder), copied is not None, copied.rows if copied else {})
        kept, missing = _copy_files(open_files(settings.files), FileStore(folder / FILES), wanted, report, progress)
        if copied is not None:
            _sync(temporary)
            temporary.replace(folder / _database_name(copied))
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(masksmith_backup=1, made_at=made_at, database=copied, files=kept, missing=missing)
        _write_manifest(folder, manifest)
    finally:
        engines.dispose()
        temporary.unlink(missing_ok=True)
    for older in folder.glob(f"{DATABASE}.*"):
        if copied is None or older.name != _database_name(copied):
            older.unlink()
    return report


def _copy_files(
    library: FileStore,
    backup: FileStore,
    wanted: set[tuple[str, str]],
    report: BackupReport,
    progress: Progress | None,
) -> tuple[list[Kept], list[Missing]]:
    backup.sweep()
    kept, missing = list[Kept](), list[Missing]()
    for done, (kind, sha256) in enumerate(sorted(wanted), start=1):
        try:
            data = backup.get(kind, sha256)
        except StorageError:
            data = b""
        if not data:
            try:
                data = library.get(kind, sha256)
            except StorageError:
                missing.append(Missing(kind=kind, sha256=sha256[:64]))  # type: ignore[arg-type]
                report.missing.append(f"{kind}/{sha256[:12]}")
                continue
            backup.put(kind, data)
            backup.get(kind, sha256)
            report.copied += 1
        kept.append(Kept(kind=kind, sha256=sha256, bytes=len(data)))  # type: ignore[arg-type]
        report.files += 1
        report.bytes += len(data)
        if progress:
            progress(done, len(wanted))
    return kept, missing


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    temporary = folder / f"{MANIFEST}.{uuid.uuid4().hex}.tmp"
    try:
        temporary.write_text(manifest.model_dump_json() + "\n", encoding="utf-8")
        _sync(temporary)
        temporary.replace(folder / MANIFEST)
        _sync(folder)
    finally:
        temporary.unlink(missing_ok=True)


def _read_manifest(folder: Path) -> Manifest:
    try:
        path = _plain(folder, Path(MANIFEST))
        if path.stat().st_size > MANIFEST_BYTES:
            raise InvalidInput(f"a backup's manifest must be at most {MANIFEST_BYTES} bytes, got {path.stat().st_size}")
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:80] or "it"
        raise InvalidInput(f"a backup's manifest must be one of this version, but {where}: {first['msg']}") from error
    except OSError as error:
        raise InvalidInput(f"{str(folder)!r} must hold a backup with its manifest, got: {error.strerror}") from error


def _restore_database(manifest: Manifest, copied: Copied, folder: Path, temporary: Path) -> None:
    """Copy the database, and see that it is whole, of a known version, and that no file it knows is left out."""
    place = temporary / DATABASE
    _copy(folder, Path(_database_name(copied)), place, copied.sha256, copied.bytes)
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
        source = _plain(folder, place)
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


def _plain(folder: Path, place: Path) -> Path:
    """Return a file of a backup that is no link, nor below one, and no pipe that would be waited for."""
    path = folder
    for part in place.parts:
        path /= part
        if stat.S_ISLNK(path.lstat().st_mode):
            raise InvalidInput(f"a backup must hold its own files, but {place} is a link")
    if not stat.S_ISREG(path.lstat().st_mode):
        raise InvalidInput(f"a backup must hold files, but {place} is something else")
    return path


def _refuse_other_folder(folder: Path) -> None:
    """Refuse a folder that holds anything but a backup, or what one that was cut off has left."""
    if not folder.exists():
        return
    known = (MANIFEST, FILES, LOCK)
    if folder.is_dir():
        strange = [
            path.name
            for path in folder.iterdir()
            if path.name not in known and not path.name.startswith((f"{DATABASE}.", f"{MANIFEST}."))
        ]
        if not strange:
            return
    raise InvalidInput(f"a backup must go into a new or empty folder, or to an older backup, got {str(folder)!r}")


def _refuse_small_disk(manifest: Manifest, temporary: Path) -> None:
    needed = sum(kept.bytes for kept in manifest.files) + (manifest.database.bytes if manifest.database else 0)
    free = shutil.disk_usage(temporary).free
    if needed > free:
        raise DiskFull(f"restoring must have {needed / 1e6:.0f} MB of free disk, got {free / 1e6:.0f} MB")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second backup out of the folder; the lock goes with the process, however it ends."""
    with (folder / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidInput(f"one backup at a time must write into {folder}, but another is at it") from error
        yield


def _database_name(copied: Copied) -> str:
    return f"{DATABASE}.{copied.sha256[:16]}"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
