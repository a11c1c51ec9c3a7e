"""A copy of the whole library while people work in it.

A backup is a folder: one state of the database, every file that state refers to under its hash, and a manifest that
names them all. Files never change once they are kept, so they may be copied after the database: what is added
meanwhile is nothing that it knows of. The manifest is renamed into its place last, so the folder holds the backup
before, or this one, and another into the same folder copies what is new.

What can be made again is left out: embeddings, downloaded checkpoints, exports, half-learned retrainings.
"""

import fcntl
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core import backup_manifest
from core.backup_manifest import DATABASE, FILES, MANIFEST, Copied, Kept, Manifest, Missing, database_name, sync
from core.errors import InvalidInput
from core.hashes import file_sha256
from core.settings import Settings
from storage import snapshots
from storage.engine import database_file, make_engines
from storage.errors import StorageError, unwritable
from storage.files import FileStore, open_files

LOCK: Final = ".lock"
Progress = Callable[[int, int], None]


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
            sync(temporary)
            temporary.replace(folder / database_name(copied))
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(masksmith_backup=1, made_at=made_at, database=copied, files=kept, missing=missing)
        backup_manifest.write(folder, manifest)
    finally:
        engines.dispose()
        temporary.unlink(missing_ok=True)
    for older in folder.glob(f"{DATABASE}.*"):
        if copied is None or older.name != database_name(copied):
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


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second backup out of the folder; the lock goes with the process, however it ends."""
    with (folder / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidInput(f"one backup at a time must write into {folder}, but another is at it") from error
        yield
