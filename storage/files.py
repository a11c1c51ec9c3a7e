"""The file store: bytes kept under their own hash, never half-written, checked when read."""

import contextlib
import hashlib
import os
import re
import time
import uuid
from pathlib import Path
from typing import Final, Protocol

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from storage.errors import CorruptFile, StorageError, unwritable

KINDS: Final = ("originals", "working", "thumbs", "embeddings", "checkpoints", "guidelines")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_CHECKSUM_BYTES = 32
STALE_S: Final = 3600.0


class Place(Protocol):
    """Where files lie under names such as working/ab/abcd…; a file that is written is there whole or not at all.

    What it cannot do it says with a StorageError.
    """

    address: str

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, or None if there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file, in place of an older one."""

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has, or None if there is none."""

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""

    def sweep(self) -> int:
        """Remove what writers left that were killed, and return how many files."""


class FileStore:
    """Files under kind/ab/abcd…, where abcd… are 64 hexadecimal digits, in a folder or on an object store.

    Two writers of one name write the same bytes; the last one wins and changes nothing.

    Parameters
    ----------
    place : Path or Place
        A folder, made when missing, or another place.
    """

    def __init__(self, place: Path | Place) -> None:
        self._place: Place = Folder(place) if isinstance(place, Path) else place

    @property
    def address(self) -> str:
        """Where the files are: a folder's path, or s3://bucket/prefix."""
        return self._place.address

    @property
    def root(self) -> Path:
        """The folder the files are in.

        Raises
        ------
        StorageError
            If they are in none.
        """
        if not isinstance(self._place, Folder):
            raise StorageError(f"the files must be in a folder to have paths, but are in {self.address}")
        return self._place.root

    def put(self, kind: str, data: bytes) -> str:
        """Keep `data` and return its sha256. What is there already is not written again, unless it is damaged.

        Raises
        ------
        StorageError
            If the disk is full or cannot be written; nothing is kept then.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        name = _name(kind, sha256)
        if self._place.size(name) != len(data) or self._place.read(name) != data:
            self._place.write(name, data)
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
        data = self._place.read(_name(kind, sha256))
        if data is None:
            raise StorageError(f"the {kind} file {sha256[:12]}… must be in the store, but is missing")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise CorruptFile(f"the {kind} file {sha256[:12]}… must match its hash, but was changed on disk")
        return data

    def put_named(self, kind: str, key: str, data: bytes) -> None:
        """Keep `data` under a key that is not its hash, with a checksum of its own, in place of the old."""
        self._place.write(_name(kind, key), hashlib.sha256(data).digest() + data)

    def get_named(self, kind: str, key: str) -> bytes | None:
        """Return the bytes kept under `key`, or None if there are none.

        Raises
        ------
        CorruptFile
            If they do not match their checksum.
        """
        data = self._place.read(_name(kind, key))
        if data is None:
            return None
        body = data[_CHECKSUM_BYTES:]
        if hashlib.sha256(body).digest() != data[:_CHECKSUM_BYTES]:
            raise CorruptFile(f"the {kind} entry {key[:12]}… must match its checksum, but was changed on disk")
        return body

    def exists(self, kind: str, name: str) -> bool:
        """Return whether a file of this hash or key is kept."""
        return self._place.size(_name(kind, name)) is not None

    def delete(self, kind: str, name: str) -> None:
        """Forget a file; one that is not there is forgotten already."""
        self._place.delete(_name(kind, name))

    def keep_to_oneself(self, kind: str) -> None:
        """Let no other account of this machine look into a kind's folder, where there are folders and such rights."""
        if not isinstance(self._place, Folder):
            return
        folder = self.root / kind
        with contextlib.suppress(OSError):  # it may be another account's, or on a disk without rights
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)

    def path(self, kind: str, name: str) -> Path:
        """Return where in its folder a file is kept.

        Raises
        ------
        StorageError
            If `kind` is unknown, `name` is not 64 lower-case hexadecimal digits, or the files are in no folder.
        """
        return self.root / _name(kind, name)

    def local(self, kind: str, sha256: str, *, copies: Path) -> Path:
        """Return a path at which this machine finds a file: where it is kept, or a copy in the folder `copies`.

        As with `path` nothing need be there if none is kept.
        """
        if isinstance(self._place, Folder):
            return self.path(kind, sha256)
        near = FileStore(copies)
        with contextlib.suppress(StorageError):
            near.get(kind, sha256)
            return near.path(kind, sha256)
        if self.exists(kind, sha256):
            near.put(kind, self.get(kind, sha256))
        return near.path(kind, sha256)

    def sweep(self) -> int:
        """Remove what a killed process left half-written, and return how many files.

        Younger ones may be another process's that is writing just now.
        """
        return self._place.sweep()


def open_files(address: str) -> FileStore:
    """Return the files at an address: a folder, or s3://bucket/prefix.

    Raises
    ------
    StorageError
        If there is no such bucket, or it cannot be used.
    """
    if "://" not in address:
        return FileStore(Path(address))
    from storage.objects import Bucket  # what it stands on need not be installed

    return FileStore(Bucket(address))


def _name(kind: str, name: str) -> str:
    if kind not in KINDS:
        raise StorageError(f"a kind of file must be one of {', '.join(KINDS)}, got {kind[:40]!r}")
    if not _HEX64.fullmatch(name):
        raise StorageError(f"a file's name must be 64 hexadecimal digits, got {name[:80]!r}")
    return f"{kind}/{name[:2]}/{name}"


class Folder:
    """A folder as a place: a file is written to a temporary name beside its own and renamed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.address = str(root)
        self._fs: AbstractFileSystem = LocalFileSystem(auto_mkdir=True)

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, or None if there is none."""
        try:
            with self._fs.open(str(self.root / name), "rb") as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"the file store must be readable, got: {error.strerror}") from error

    def write(self, name: str, data: bytes) -> None:
        """Write a file and make it durable: after a power cut it is whole, or as it was before."""
        path = self.root / name
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

    def size(self, name: str) -> int | None:
        """Return how many bytes a file has, or None if there is none."""
        path = str(self.root / name)
        return int(self._fs.size(path)) if self._fs.exists(path) else None

    def delete(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.root / name).unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove temporary files that are older than a writer lives."""
        stale = [path for path in self.root.glob("*/*/*.tmp") if _age_s(path) > STALE_S]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)


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
