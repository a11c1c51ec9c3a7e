"""Taking masks of other tools into the library, as proposals that a person keeps, fixes or deletes."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from core import masks as pixels
from core.errors import InvalidImage, InvalidInput
from core.formats.archive import opened
from core.formats.fields import last_part, shown
from core.formats.readers import READERS
from core.formats.records import MOST_SENTENCES, FoundImage, FoundMask, Troubles
from core.importing import ImportReport, import_paths
from core.masks import Mask, Rle
from core.pictures import SUFFIXES, check_length, orientation_of, turned
from core.proposals import ORIGIN
from core.workshop import Library
from storage import bulk, events, proposals
from storage.errors import StorageError
from storage.rows import LibraryNameRow, NewFlag, NewMask

MASK_FORMATS: Final = tuple(READERS)
MOST_PER_IMAGE: Final = 5000
FOLDERS: Final = ("", "images", "JPEGImages", "../images", "../JPEGImages")
"""Where photos lie, as seen from the annotations."""
_SCORED: Final = ("sa1b", "label-map")
"""Formats whose score is SAM's predicted IoU; what others' means only their model knows."""
Progress = Callable[[int, str], None]
"""Called with how many images are done and the name of the last."""


@dataclass(slots=True)
class MaskImportReport:
    """What became of the masks of a file or folder.

    Attributes
    ----------
    masks, known, unread : int
        Taken in as proposals; there already, from an import before; and records that could not be read.
    images, unmatched : int
        Images that masks were taken in for, and images of the file that the library does not have.
    resized, vanished : int
        Masks drawn at their photo's full size and made smaller; and those of which nothing was left then.
    resized_iou : float
        How far the smaller ones agree with what was drawn, as the mean IoU at full size; 1 if none was resized.
    turned : int
        Masks drawn on a photo as it lies in its file, turned upright as its EXIF says.
    others : dict of str to int
        What is no mask, by kind: boxes, lines.
    """

    format: str
    masks: int = 0
    known: int = 0
    unread: int = 0
    images: int = 0
    unmatched: int = 0
    resized: int = 0
    vanished: int = 0
    turned: int = 0
    resized_iou: float = 1.0
    others: dict[str, int] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    photos: ImportReport = field(default_factory=ImportReport)
    stopped: str | None = None
    """Why the library could take no more; importing again goes on with the rest."""

    def refuse(self, sentence: str) -> None:
        """Note why something was not taken in."""
        if len(self.reasons) < MOST_SENTENCES:
            self.reasons.append(sentence)

    def sentence(self) -> str:
        """Return the report in a few sentences."""
        text = (
            f"{_counted(self.masks, 'mask')} on {_counted(self.images, 'image')} taken in, to be kept, fixed or deleted"
        )
        parts = [
            f"{self.known} there already" if self.known else "",
            f"{self.unread} not readable" if self.unread else "",
            f"{_counted(self.unmatched, 'image')} not in the library" if self.unmatched else "",
        ]
        text = ", ".join([text, *(part for part in parts if part)]) + "."
        if self.photos.files:
            text += f" Photos: {self.photos.sentence()}"
        if self.resized:
            text += (
                f" {_counted(self.resized, 'mask')} made smaller with the photo: "
                f"{self.resized_iou:.1%} IoU with what was drawn, on average."
            )
        if self.vanished:
            text += f" {_counted(self.vanished, 'mask')} too small for that left out."
        if self.turned:
            text += f" {_counted(self.turned, 'mask')} turned upright with the photo."
        if self.others:
            kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(self.others.items()))
            text += f" Left alone, as no masks: {kinds}."
        if self.stopped:
            text += f" Stopped: {self.stopped}. Import again to go on with the rest."
        return text


def import_masks(
    library: Library,
    path: Path,
    *,
    format: str,
    photos: Path | None = None,
    progress: Progress | None = None,
) -> MaskImportReport:
    """Take the masks of a file, folder or zip file into the library.

    An image is found by its photo, where the file's photos lie beside it or in `photos` and one of them is an image of
    the library, as imported or as exported; else by its name, with or without suffix. With `photos` those that the
    library lacks are imported. One image is one transaction; the same masks again add nothing.

    Raises
    ------
    InvalidInput
        If the format is unknown or a path does not exist. What is wrong inside the file is told by the report.
    """
    if format not in READERS:
        raise InvalidInput(f"the format of masks must be one of {', '.join(MASK_FORMATS)}, got {format!r}")
    for given in (path, photos):
        if given is not None and not given.exists():
            raise InvalidInput(f"a path to import must exist, got {str(given)!r}")
    report, troubles = MaskImportReport(format), Troubles()
    with opened(path) as inside:
        beside = inside if inside.is_dir() else inside.parent
        shelf = _Shelf(library, beside, photos, report)
        kept = _Kept(library, path.name, report)
        try:
            for done, found in enumerate(READERS[format](inside, troubles), start=1):
                image = shelf.image_of(found)
                if image is not None:
                    kept.take(found, image, _size_of(found, image))
                if progress:
                    progress(done, last_part(found.file_name))
        except StorageError as error:
            report.stopped = str(error)
    report.unread += troubles.count
    report.others = troubles.others
    report.reasons = [*troubles.sentences, *report.reasons][:MOST_SENTENCES]
    report.resized_iou = kept.agreement / report.resized if report.resized else 1.0
    return report


class _Shelf:
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


def _size_of(found: FoundImage, image: LibraryNameRow) -> tuple[int, int]:
    """Return the height and width that an image's masks were drawn at; formats that do not say mean the photo's."""
    return found.size_hw or (image.original_height, image.original_width)


class _Kept:
    """Takes the masks of one image after another into the library."""

    def __init__(self, library: Library, file: str, report: MaskImportReport) -> None:
        self._library = library
        self._file = shown(file)
        self._report = report
        self.agreement = 0.0

    def take(self, found: FoundImage, image: LibraryNameRow, drawn_hw: tuple[int, int]) -> None:
        """Take an image's masks in, in one transaction."""
        report = self._report
        try:
            fitted = _Fitting(self._library, image, drawn_hw)
        except InvalidInput as error:
            report.unmatched += 1
            report.refuse(f"{shown(last_part(found.file_name))}: {error}")
            return
        if len(found.masks) > MOST_PER_IMAGE:
            report.unread += len(found.masks) - MOST_PER_IMAGE
            name = shown(last_part(found.file_name))
            report.refuse(
                f"{name} must have at most {MOST_PER_IMAGE} masks, got {len(found.masks)}; the rest is left out"
            )
        made: dict[str, tuple[NewMask, NewFlag]] = {}
        for mask in found.masks[:MOST_PER_IMAGE]:
            try:
                drawn = mask.draw(*drawn_hw)
                if not pixels.area(drawn):
                    raise InvalidInput("a mask must have pixels, got none")
                rle, agreement = fitted.fitted(drawn)
            except (InvalidInput, MemoryError) as error:
                report.unread += 1
                report.refuse(f"{mask.where}: {error or 'a mask must fit into memory, got one that does not'}")
                continue
            if rle is None:
                report.vanished += 1
                report.refuse(f"{mask.where} must have pixels at the working image's size, got none")
                continue
            report.turned += fitted.turns
            if agreement is not None:
                report.resized += 1
                self.agreement += agreement
            new = self._new(image, mask, rle)
            report.known += new[0].key in made
            made.setdefault(new[0].key, new)
        self._save(image, made)

    def _new(self, image: LibraryNameRow, mask: FoundMask, rle: Rle) -> tuple[NewMask, NewFlag]:
        said = "\0".join((self._report.format, str(image.id), rle["counts"], mask.label or ""))
        scored = self._report.format in _SCORED
        new = NewMask(
            key=f"imported-{hashlib.sha256(said.encode()).hexdigest()[:48]}",
            image_id=image.id,
            person_id=self._library.person_id,
            object_key="imported",
            origin=ORIGIN,
            height=rle["size"][0],
            width=rle["size"][1],
            counts=rle["counts"],
            area=pixels.area(rle),
            bbox=pixels.bbox(rle),
            label=mask.label,
            predicted_iou=mask.score if scored else None,
            stability_score=mask.stability if scored else None,
        )
        detail = {"format": self._report.format, "file": self._file, "record": mask.where, "score": mask.score}
        score = f", with a score of {mask.score:.2f}" if mask.score is not None else ""
        message = f"Imported from {self._file}{score}: keep it if it is right, else edit or delete it."
        return new, NewFlag(ORIGIN, "warning", message, {**detail, "box": None, "fix": None})

    def _save(self, image: LibraryNameRow, made: dict[str, tuple[NewMask, NewFlag]]) -> None:
        if not made:
            return
        with self._library.engines.writing() as session:
            there = proposals.known(list(made), session=session)
            new = [one for key, one in made.items() if key not in there]
            ids = bulk.add_masks([mask for mask, _ in new], session=session)
            flags = [flag for _, flag in new]
            proposals.add_flags(list(zip(ids, flags, strict=True)), session=session)
            if ids:
                events.add(
                    "import_masks",
                    person_id=self._library.person_id,
                    image_id=image.id,
                    detail={"format": self._report.format, "file": self._file, "masks": len(ids)},
                    session=session,
                )
        self._report.known += len(there)
        self._report.masks += len(ids)
        self._report.images += bool(ids)


class _Fitting:
    """From the size that an image's masks were drawn at to its working image's."""

    def __init__(self, library: Library, image: LibraryNameRow, drawn_hw: tuple[int, int]) -> None:
        self._working_hw = (image.height, image.width)
        original_hw = (image.original_height, image.original_width)
        self._orientation = 1
        if drawn_hw not in (self._working_hw, original_hw):
            # Some tools show a photo as it lies in its file, on its side.
            if drawn_hw == original_hw[::-1]:
                self._orientation = _orientation(library, image.sha256)
            if self._orientation < 5:
                raise InvalidInput(
                    f"masks must have the size of their photo {image.original_width} x {image.original_height} "
                    f"or of its working image {image.width} x {image.height}, got {drawn_hw[1]} x {drawn_hw[0]}"
                )

    @property
    def turns(self) -> bool:
        """Whether masks have to be turned upright."""
        return self._orientation != 1

    def fitted(self, drawn: Rle) -> tuple[Rle | None, float | None]:
        """Return a mask at the working image's size, None if nothing is left, and how far it agrees if it was resized.

        A pixel is mask where at least half of it was.
        """
        if (drawn["size"][0], drawn["size"][1]) == self._working_hw and not self.turns:
            return pixels.encode(pixels.decode(drawn)), None  # one mask, one text: runs of no pixels are legal
        mask = turned(pixels.decode(drawn), self._orientation)
        if mask.shape == self._working_hw:
            return pixels.encode(mask), None
        height, width = self._working_hw
        shares = cv2.resize(mask.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_AREA)
        small: Mask = np.asarray(shares > 127)
        if not small.any():
            return None, None
        back = cv2.resize(small.astype(np.uint8), mask.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT).astype(bool)
        return pixels.encode(small), float(np.count_nonzero(back & mask) / np.count_nonzero(back | mask))


def _orientation(library: Library, sha256: str) -> int:
    try:
        return orientation_of(library.files.get("originals", sha256))
    except StorageError:  # without its file nobody knows which way the photo lay
        return 1


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
