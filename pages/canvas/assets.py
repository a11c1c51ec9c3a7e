"""Where the workbench's modules lie, and a name for their present content."""

import hashlib
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SUFFIXES = (".js", ".css")


@lru_cache(maxsize=1)
def version() -> str:
    """Return a short hash of all modules: it names them in URLs that browsers may cache for good."""
    return hash_of(FOLDER)


def hash_of(folder: Path) -> str:
    """Return 16 hex digits that change whenever a .js or .css file in `folder` does."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in SUFFIXES:
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
