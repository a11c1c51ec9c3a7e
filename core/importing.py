"""Taking photos into the library: each wholly, or not at all with one sentence why."""

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import working_files
from core.errors import InvalidImage, InvalidInput
from core.pictures import SUFFIXES, Picture, check_length, picture_of, read_upright
from core.privacy import choice
from core.privacy.blurring import blurred
from core.privacy.regions import Detector, Region
from core.project_settings import ProjectSettings
from storage import images, projects, regions
from storage.engine import Engines
from storage.errors import StorageError
from storage.files import FileStore
from storage.rows import NewBox, NewImage

MAX_NAME = 200
MAX_LISTED = 1000
"""Refusals that are told by name; the rest is counted, so that a report stays small."""

Progress = Callable[[int, int, str], None]
"""Called with (files done, files in all, name of the last)."""


@dataclass(slots=True)
class ImportReport:
    """What became of the files that were offered."""

    imported: int = 0
    duplicates: int = 0
    refused: int = 0
    reasons: list[tuple[str, str]] = field(default_factory=list)
    blurred: dict[str, int] = field(default_factory=dict)
    """Faces and plates that were found and blurred, by kind."""
    passed_over: dict[str, int] = field(default_factory=dict)
    """Files of other kinds in folders, by suffix."""
    stopped: str | None = None
    """Why the library could take no more, if it could not; importing again goes on with the rest."""

    @property
    def files(self) -> int:
        """How many files were looked at."""
        return self.imported + self.duplicates + self.refused

    def refuse(self, name: str, reason: str) -> None:
        """Note that a file was not taken, and why."""
        self.refused += 1
        if len(self.reasons) < MAX_LISTED:
            self.reasons.append((name, reason))

    def pass_over(self, name: str) -> None:
        """Note a file of another kind in a folder."""
        kind = clean_name(Path(name).suffix.lower())[:20] if Path(name).suffix else "no suffix"
        self.passed_over[kind] = self.passed_over.get(kind, 0) + 1

    def blur(self, found: Iterable[Region]) -> None:
        """Note what was blurred on a photo."""
        for region in found:
            self.blurred[region.kind] = self.blurred.get(region.kind, 0) + 1

    def sentence(self) -> str:
        """Return the report in one sentence."""
        parts = [f"{self.imported} imported"]
        if self.duplicates:
            parts.append(f"{self.duplicates} already in the library")
        if self.refused:
            parts.append(f"{self.refused} refused")
        if self.blurred:
            parts.append(f"{said_of(self.blurred)} blurred")
        if self.passed_over:
            kinds = ", ".join(sorted(self.passed_over))
            parts.append(f"{sum(self.passed_over.values())} of other kinds left alone ({kinds})")
        rest = f" Stopped: {self.stopped}. Import again to go on with the rest." if self.stopped else ""
        return ", ".join(parts) + "." + rest


def said_of(counts: dict[str, int]) -> str:
    """Return how many boxes of each kind there are, in words.

    Examples
    --------
    >>> said_of({"face": 2, "plate": 1})
    '2 faces and 1 plate'
    """
    return " and ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in sorted(counts.items()))


def import_paths(
    paths: Iterable[Path],
    *,
    engines: Engines,
    files: FileStore,
    project_id: int,
    progress: Progress | None = None,
    report: ImportReport | None = None,
    blur: bool | None = None,
) -> ImportReport:
    """Import files and folders (all image files below them, in order of name).

    With `blur` faces and number plates are blurred before anything but the original is written; None leaves it to the
    project's settings.

    One file is in memory at a time. A kill leaves every photo imported or untouched. A library that can take
    no more, as on a full disk, ends it: the report says so.

    Raises
    ------
    InvalidInput
        If a path does not exist.
    """
    report = report or ImportReport()
    library = _Library(engines, files, project_id, _searching(engines, project_id, blur))
    todo = list(_files_of(paths, report))
    for done, path in enumerate(todo, start=1):
        try:
            data = _content(path)
        except OSError as error:
            report.refuse(clean_name(path.name), f"a file must be readable, got: {error.strerror}")
        except InvalidImage as error:
            report.refuse(clean_name(path.name), str(error))
        else:
            _take(path.name, data, report, library)
        if report.stopped:
            break
        if progress:
            progress(done, len(todo), path.name)
    return report


def import_bytes(
    uploads: Iterable[tuple[str, bytes]],
    *,
    engines: Engines,
    files: FileStore,
    project_id: int,
    report: ImportReport | None = None,
) -> ImportReport:
    """Import uploaded files, given as (name, content); the project's settings say whether they are blurred."""
    report = report or ImportReport()
    library = _Library(engines, files, project_id, _searching(engines, project_id, None))
    for name, data in uploads:
        if not report.stopped:
            _take(name, data, report, library)
    return report


def clean_name(name: str) -> str:
    """Return the last part of a file name without control characters, at most 200 characters long.

    Examples
    --------
    >>> clean_name("../../etc/pass\\x00wd.png")
    'passwd.png'
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip()
    if len(kept) > MAX_NAME:
        stem, dot, suffix = kept.rpartition(".")
        kept = stem[: MAX_NAME - len(suffix) - 1] + dot + suffix if dot and len(suffix) < 10 else kept[:MAX_NAME]
    return kept or "unnamed"


def _files_of(paths: Iterable[Path], report: ImportReport) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        report.refuse(clean_name(str(error.filename)), f"a folder must be readable, got: {error.strerror}")

    for path in paths:
        if path.is_dir():
            # Links to folders are not followed: they may lead back up.
            for folder, folders, names in os.walk(path, onerror=unreadable):
                folders.sort()
                for name in sorted(names):
                    if name.lower().endswith(SUFFIXES):
                        yield Path(folder, name)
                    else:
                        report.pass_over(name)
        elif path.exists():
            yield path
        else:
            raise InvalidInput(f"a path to import must exist, got {str(path)!r}")


def _content(path: Path) -> bytes:
    """Return a file's bytes, once it is known to end, and not too late: a pipe or a device may never do."""
    if path.exists() and not path.is_file():
        raise InvalidImage("an image must be a file, got something else")
    check_length(path.stat().st_size)
    return path.read_bytes()


@dataclass(frozen=True, slots=True)
class _Library:
    """Where photos go, and what searches them first, if anything does."""

    engines: Engines
    files: FileStore
    project_id: int
    detector: Detector | None


def _searching(engines: Engines, project_id: int, blur: bool | None) -> Detector | None:
    if blur is None:
        with engines.reading() as session:
            blur = ProjectSettings.from_json(projects.get(project_id, session=session).settings).blur
    return choice.detector() if blur else None


def _take(name: str, data: bytes, report: ImportReport, library: _Library) -> None:
    name = clean_name(name)
    sha256 = hashlib.sha256(data).hexdigest()
    with library.engines.reading() as session:
        known = images.known_sha256(library.project_id, sha256, session=session)
    if known:
        report.duplicates += 1
        return
    found: list[Region] = []
    try:
        photo = read_upright(data)
        if library.detector is not None:
            found = choice.found_by(library.detector, photo.pixels)
        picture = picture_of(photo, blurred(photo.pixels, [region.box for region in found]) if found else None)
    except InvalidImage as error:
        report.refuse(name, str(error))
        return
    try:
        new = _keep(name, sha256, data, picture, found, library)
    except StorageError as error:
        report.stopped = str(error)
        return
    if new:
        report.imported += 1
        report.blur(found)
    else:
        report.duplicates += 1


def _keep(name: str, sha256: str, data: bytes, picture: Picture, found: list[Region], library: _Library) -> bool:
    """Write the files, then the row that makes them an image: a kill in between leaves no image."""
    files = library.files
    files.put("originals", data)
    new = NewImage(
        project_id=library.project_id,
        name=name,
        sha256=sha256,
        working_sha256=files.put("working", picture.working),
        thumb_sha256=files.put("thumbs", picture.thumb),
        width=picture.size_wh[0],
        height=picture.size_wh[1],
        original_width=picture.original_size_wh[0],
        original_height=picture.original_size_wh[1],
        original_format=picture.format,
        original_bytes=len(data),
    )
    left_over = False
    with library.engines.writing() as session:
        image_id, is_new = images.insert(new, session=session)
        if is_new:
            left_over = _protect(image_id, new, found, library.detector, session=session)
    if left_over:
        working_files.discard(library.engines, files)
    return is_new


def _protect(image_id: int, new: NewImage, found: list[Region], detector: Detector | None, *, session: Any) -> bool:
    """Keep what was found on an image that has just come in; return whether files are left over.

    One that was deleted and comes back may have been searched before: it is blurred as people left it.
    """
    if regions.search_of(image_id, session=session) is not None:
        working_files.note(new.working_sha256, new.thumb_sha256, session=session)
        return True
    if detector is None:
        return False
    boxes = [NewBox(region.kind, region.box, region.score) for region in found]
    regions.add(image_id, boxes, source="found", session=session)
    regions.searched(image_id, new.project_id, detector.name, to_check=bool(found), session=session)
    return working_files.replace(
        image_id, working_sha256=new.working_sha256, thumb_sha256=new.thumb_sha256, session=session
    )
