"""The file store: bytes kept under their own hash, never half-written, checked when read."""

import contextlib
import hashlib
import os
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from storage.errors import CorruptFile, StorageError, unwritable

KINDS: Final = ("originals", "working", "thumbs", "embeddings", "checkpoints", "guidelines")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_CHECKSUM_BYTES = 32
STALE_S: Final = 3600.0


class FileStore:
    """Files under `root`/kind/ab/abcd…, where abcd… are 64 hexadecimal digits.

    A file is written to a temporary name beside its place and renamed, so a reader sees all of it or
    nothing. Two writers of one name write the same bytes; the last rename wins and changes nothing.

    Parameters
    ----------
    root : Path
        Made when missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._fs: AbstractFileSystem = LocalFileSystem(auto_mkdir=True)

    def put(self, kind: str, data: bytes) -> str:
        """Keep `data` and return its sha256. What is there already is not written again, unless it is damaged.

        Raises
        ------
        StorageError
            If the disk is full or cannot be written; nothing is kept then.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(kind, sha256)
        if not (self._fs.exists(str(path)) and self._fs.size(str(path)) == len(data) and self._read(path) == data):
            self._write(path, data)
        return sha256

    def get(self, kind: str, sha256: str) -> bytes:
        """Return the bytes kept under `sha256`.

        Raises
        ------
        CorruptFile
            If they no longer have that hash.
        StorageError
            If there are none, or they cannot be read.
        """
        data = self._read(self.path(kind, sha256))
        if data is None:
            raise StorageError(f"the {kind} file {sha256[:12]}… must be in the store, but is missing")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise CorruptFile(f"the {kind} file {sha256[:12]}… must match its hash, but was changed on disk")
        return data

    def put_named(self, kind: str, key: str, data: bytes) -> None:
        """Keep `data` under a key that is not its hash, with a checksum of its own, in place of the old."""
        self._write(self.path(kind, key), hashlib.sha256(data).digest() + data)

    def get_named(self, kind: str, key: str) -> bytes | None:
        """Return the bytes kept under `key`, or None if there are none.

        Raises
        ------
        CorruptFile
            If they do not match their checksum.
        """
        data = self._read(self.path(kind, key))
        if data is None:
            return None
        body = data[_CHECKSUM_BYTES:]
        if hashlib.sha256(body).digest() != data[:_CHECKSUM_BYTES]:
            raise CorruptFile(f"the {kind} entry {key[:12]}… must match its checksum, but was changed on disk")
        return body

    def exists(self, kind: str, name: str) -> bool:
        """Return whether a file of this hash or key is kept."""
        return bool(self._fs.exists(str(self.path(kind, name))))

    def delete(self, kind: str, name: str) -> None:
        """Forget a file; one that is not there is forgotten already."""
        self.path(kind, name).unlink(missing_ok=True)

    def keep_to_oneself(self, kind: str) -> None:
        """Let no other account of this machine look into the folder of a kind, where there are such rights."""
        folder = self.root / kind
        with contextlib.suppress(OSError):  # it may be another account's, or on a disk without rights
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)

    def path(self, kind: str, name: str) -> Path:
        """Return where a file is kept.

        Raises
        ------
        StorageError
            If `kind` is unknown or `name` is not 64 lower-case hexadecimal digits.
        """
        if kind not in KINDS:
            raise StorageError(f"a kind of file must be one of {', '.join(KINDS)}, got {kind[:40]!r}")
        if not _HEX64.fullmatch(name):
            raise StorageError(f"a file's name must be 64 hexadecimal digits, got {name[:80]!r}")
        return self.root / kind / name[:2] / name

    def sweep(self) -> int:
        """Remove temporary files that a killed process left, and return how many.

        Younger ones may be another process's that is writing just now.
        """
        stale = [path for path in self._temporary() if _age_s(path) > STALE_S]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def _temporary(self) -> Iterator[Path]:
        return self.root.glob("*/*/*.tmp")

    def _read(self, path: Path) -> bytes | None:
        try:
            with self._fs.open(str(path), "rb") as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"the file store must be readable, got: {error.strerror}") from error

    def _write(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
        try:
            self._fs.makedirs(str(path.parent), exist_ok=True)
            with self._fs.open(str(temporary), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            _sync_folder(path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise unwritable("the file store", error) from error


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:  # renamed meanwhile: it was no leftover
        return 0.0


def _sync_folder(folder: Path) -> None:
    """Make a rename durable: on POSIX it is the folder's entry that changes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
