"""Zip files, as tools export them: unpacked into a folder that goes away, as far as they are not absurd."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from core.errors import InvalidInput
from core.formats.fields import shown

MOST_ENTRIES: Final = 200_000
MOST_BYTES: Final = 8 << 30
MOST_RATIO: Final = 200
"""How many times its packed size a file may have: text of run lengths comes to fifty at most."""
_SMALL: Final = 1 << 20
_PIECE: Final = 1 << 20


@contextmanager
def opened(path: Path, *, most_bytes: int = MOST_BYTES) -> Iterator[Path]:
    """Yield a folder with what is in a zip file, or the path itself if it is none.

    A zip file with one folder in it, and nothing else, is that folder.

    Raises
    ------
    InvalidInput
        If it is damaged, leads out of its folder, or unpacks to more than it may.
    """
    if not path.is_file() or path.suffix.lower() != ".zip":
        yield path
        return
    folder = Path(tempfile.mkdtemp(prefix="masksmith-import-"))
    try:
        _unpack(path, folder, most_bytes)
        inside = list(folder.iterdir())
        yield inside[0] if len(inside) == 1 and inside[0].is_dir() and inside[0].name not in _OURS else folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_OURS: Final = ("labels", "images", "SegmentationObject")
"""Folders that readers look for in the folder above."""


def _unpack(path: Path, folder: Path, most_bytes: int) -> None:
    name = shown(path.name)
    left = most_bytes
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise InvalidInput(f"{name} must have at most {MOST_ENTRIES} files, got {len(entries)}")
            for entry in entries:
                parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
                if entry.is_dir() or not parts or parts[0] == "__MACOSX":
                    continue
                if ".." in parts or parts[0] in ("/", "\\") or ":" in parts[0] or "\0" in entry.filename:
                    raise InvalidInput(f"{name} must unpack into its own folder, got {shown(entry.filename)!r}")
                target = folder.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                most = min(left, max(_SMALL, entry.compress_size * MOST_RATIO))
                # What an entry says of its own size is not believed: it is counted as it comes.
                with archive.open(entry) as source, target.open("wb") as out:
                    taken = 0
                    while piece := source.read(_PIECE):
                        taken += len(piece)
                        if taken > most:
                            raise InvalidInput(
                                f"{name} must unpack to at most {most_bytes >> 20} MB and {MOST_RATIO} times its size, "
                                f"got more in {shown(entry.filename)!r}"
                            )
                        out.write(piece)
                left -= taken
    except InvalidInput:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise InvalidInput(f"{name} must be a readable zip file, but is not ({shown(error)})") from error
    except Exception as error:  # zlib, lzma and bz2 each raise their own for damaged bytes
        raise InvalidInput(f"{name} must be a readable zip file, but is damaged") from error
