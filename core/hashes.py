"""Hashes of files."""

import hashlib
from pathlib import Path
from typing import Final

_CHUNK: Final = 1024 * 1024


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file, read in pieces."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()
