"""Which image of the library a file of another tool speaks of: the photo itself tells, else its name."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from core.errors import InvalidImage, InvalidInput
from core.formats.fields import last_part, shown
from core.formats.records import FoundImage
from core.importing import import_paths
from core.mask_import_report import MaskImportReport
from core.pictures import SUFFIXES, check_length
from core.workshop import Library
from storage import proposals
from storage.errors import StorageError
from storage.rows import LibraryNameRow

FOLDERS: Final = ("", "images", "JPEGImages", "../images", "../JPEGImages")
"""Where photos lie, as seen from the annotations."""


class Shelf:
    """Where the image of the library is found that a file speaks of."""

    def __init__(self, library: Library, beside: Path, photos: Path | None, report: MaskImportReport) -> None:
        self._library = library
        self._folders = [beside / name for name in FOLDERS]
        self._take_in = photos is not None
        self._report = report
        self._working: dict[bytes, int] | None = None
        self._taken: dict[int, str] = {}
        self._below = _photos_below(photos) if photos else {}

    def image_of(self, found: FoundImage) -> LibraryNameRow | None:
        """Return the image; None, noted, if there is none or it cannot be told which."""
        name = last_part(found.file_name)
        try:
            rows = self._by_photo(found) or self._by_name([name, *found.other_names])
            if len(rows) != 1:
                had = f"{len(rows)} of this name" if rows else "none"
                raise InvalidInput(f"{shown(name)} must be the name of one image of the library, got {had}")
            # In folders of their own, two photos of a file may have one name, and the library one of them.
            first = self._taken.setdefault(rows[0].id, found.file_name)
            if first != found.file_name:
                whole = shown(found.file_name)
                raise InvalidInput(f"{whole} must be another image of the library than {shown(first)}, got the same")
        except InvalidInput as error:
            self._report.unmatched += 1
            self._report.refuse(str(error))
            return None
        return rows[0]

    def _by_photo(self, found: FoundImage) -> list[LibraryNameRow]:
        for name in (found.file_name, *found.other_names):
            for path in self._candidates(name):
                try:
                    data = _content(path)
                except InvalidImage:
                    continue
                rows = self._of_bytes(data)
                if not rows and self._take_in:
                    library = self._library
                    import_paths(
                        [path],
                        engines=library.engines,
                        files=library.files,
                        project_id=library.project_id,
                        report=self._report.photos,
                    )
                    if self._report.photos.stopped:
                        raise StorageError(self._report.photos.stopped)
                    rows = self._of_bytes(data)
                if rows:
                    return rows
        return []

    def _candidates(self, name: str) -> Iterable[Path]:
        """Yield photos that may be meant: of that name in the folder given, then beside the file.

        Raises
        ------
        InvalidInput
            If the folder given has several of that name, and they differ.
        """
        whole = name.replace("\\", "/")
        last = last_part(name)
        endings = [""] if last.lower().endswith(SUFFIXES) else _SPELLINGS
        for ending in endings:
            paths = self._below.get(last + ending, [])
            paths = [path for path in paths if f"/{path.as_posix()}".endswith(f"/{whole}{ending}")] or paths
            if len(paths) > 1 and len({hashlib.sha256(_content(path)).digest() for path in paths}) > 1:
                raise InvalidInput(f"{shown(name)} must be the name of one photo, got {len(paths)} that differ")
            yield from paths[:1]
        inside = not whole.startswith("/") and ".." not in whole.split("/") and "\0" not in whole and len(whole) < 1000
        for folder in self._folders:
            for ending in endings:
                for one in dict.fromkeys((whole, last) if inside else ()):
                    if last and len(last) < 200 and (folder / (one + ending)).is_file():
                        yield folder / (one + ending)

    def _of_bytes(self, data: bytes) -> list[LibraryNameRow]:
        sha256 = hashlib.sha256(data).hexdigest()
        with self._library.engines.reading() as session:
            project = self._library.project_id
            rows = proposals.with_original(project, sha256, session=session)
            if rows:
                return rows
            if self._working is None:
                self._working = proposals.working_hashes(project, session=session)
            number = self._working.get(bytes.fromhex(sha256))
            return proposals.numbered(project, number, session=session) if number is not None else []

    def _by_name(self, names: list[str]) -> list[LibraryNameRow]:
        with self._library.engines.reading() as session:
            for name in names:
                spelled = [name] if name.lower().endswith(SUFFIXES) else [name + suffix for suffix in _SPELLINGS]
                rows = proposals.named(self._library.project_id, spelled, session=session)
                if rows:
                    return rows
        return []


_SPELLINGS: Final = (*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES))


def _photos_below(folder: Path) -> dict[str, list[Path]]:
    """Return the photos of a folder and below by name."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
        if path.suffix.lower() in SUFFIXES and path.is_file():
            found.setdefault(path.name, []).append(path)
    return found


def _content(path: Path) -> bytes:
    try:
        check_length(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise InvalidImage(f"the photo {shown(path.name)} must be readable, got: {error.strerror}") from error
