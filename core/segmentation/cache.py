"""Embeddings in memory over embeddings on disk."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from core.segmentation.protocol import Embedding, digest
from storage.errors import StorageError

log = logging.getLogger(__name__)
KIND = "embeddings"


class Blobs(Protocol):
    """Where bytes are kept under a key; `storage.files.FileStore` is one."""

    def put_named(self, kind: str, key: str, data: bytes) -> None:
        """Keep bytes under a key."""

    def get_named(self, kind: str, key: str) -> bytes | None:
        """Return the bytes under a key, or None; raise StorageError if they were damaged."""

    def exists(self, kind: str, name: str) -> bool:
        """Return whether there are bytes under a key."""


def cache_key(image_sha256: str, encoder_key: str) -> str:
    """Return under which key the embedding of an image by an encoder is kept, 64 hexadecimal digits."""
    return digest(image_sha256, encoder_key)


class EmbeddingCache:
    """An LRU in memory, bounded in bytes, over files. A damaged file is rebuilt.

    What is returned is always what a later start would read back: a fresh embedding goes through its
    file form first, so no answer changes when the server restarts. Cost of a hit: O(1); of a disk hit:
    one read of the file.

    Parameters
    ----------
    files : Blobs
        The store behind it.
    memory_bytes : int
        Upper bound of the embeddings held in memory; one that is larger alone is not held.
    """

    def __init__(self, files: Blobs, *, memory_bytes: int) -> None:
        self._files = files
        self._limit = memory_bytes
        self._held: OrderedDict[str, Embedding] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._building: dict[str, threading.Lock] = {}
        self.found = {"memory": 0, "disk": 0, "made": 0}
        """How many embeddings that were asked for were held, read, or made."""

    @property
    def memory_bytes(self) -> int:
        """Bytes held in memory now."""
        return self._bytes

    def get(self, key: str) -> Embedding | None:
        """Return the embedding under `key` from memory or disk, or None."""
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
                self.found["memory"] += 1
                return held
        found = self._read(key)
        if found is None:
            return None
        with self._lock:
            self.found["disk"] += 1
        return self._hold(key, found)

    def has(self, key: str) -> bool:
        """Return whether an embedding is held or on disk, without reading it."""
        with self._lock:
            if key in self._held:
                return True
        return self._files.exists(KIND, key)

    def get_or_build(self, key: str, build: Callable[[], Embedding], *, keep: bool = True) -> Embedding:
        """Return the embedding under `key`, made by `build` if there is none.

        Callers that ask for one key at a time wait for a single build. Without `keep` it is held in memory only.
        """
        found = self.get(key)
        if found is not None:
            return found
        with self._lock:
            turn = self._building.setdefault(key, threading.Lock())
        try:
            with turn:
                found = self.get(key)
                if found is None:
                    found = self.put(key, build()) if keep else self._hold(key, build())
                    with self._lock:
                        self.found["made"] += 1
        finally:
            with self._lock:
                self._building.pop(key, None)
        return found

    def put(self, key: str, embedding: Embedding) -> Embedding:
        """Keep an embedding and return it as it will be read back; a full disk leaves it in memory only."""
        data = embedding.to_bytes()
        self.keep(key, data)
        return self._hold(key, Embedding.from_bytes(data))

    def keep(self, key: str, data: bytes) -> None:
        """Keep the bytes of an embedding on disk, unless that is full."""
        try:
            self._files.put_named(KIND, key, data)
        except StorageError as error:
            log.warning("an embedding is not kept on disk: %s", error)

    def _read(self, key: str) -> Embedding | None:
        try:
            data = self._files.get_named(KIND, key)
            return None if data is None else Embedding.from_bytes(data)
        except (StorageError, ValueError) as error:
            log.warning("an embedding will be rebuilt: %s", error)
            return None

    def _hold(self, key: str, embedding: Embedding) -> Embedding:
        with self._lock:
            old = self._held.pop(key, None)
            self._bytes -= old.nbytes if old else 0
            if embedding.nbytes <= self._limit:
                self._held[key] = embedding
                self._bytes += embedding.nbytes
            while self._bytes > self._limit:
                self._bytes -= self._held.popitem(last=False)[1].nbytes
        return embedding
