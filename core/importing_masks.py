"""Taking masks of other tools into the library, as proposals that a person keeps, fixes or deletes."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core import masks as pixels
from core.errors import InvalidInput
from core.formats.archive import opened
from core.formats.fields import last_part, shown
from core.formats.readers import READERS
from core.formats.records import MOST_SENTENCES, FoundImage, FoundMask, Troubles
from core.mask_fitting import Fitting
from core.mask_import_report import MaskImportReport
from core.masks import Rle
from core.photo_shelf import Shelf
from core.proposals import ORIGIN
from core.roles import require
from core.workshop import Library
from storage import bulk, events, proposals
from storage.errors import StorageError
from storage.rows import LibraryNameRow, NewFlag, NewMask

MASK_FORMATS: Final = tuple(READERS)
MOST_PER_IMAGE: Final = 5000
_SCORED: Final = ("sa1b", "label-map")
"""Formats whose score is SAM's predicted IoU; what others' means only their model knows."""
Progress = Callable[[int, str], None]
"""Called with how many images are done and the name of the last."""


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
    Forbidden
        If the person may not.
    """
    require(library, "import")
    if format not in READERS:
        raise InvalidInput(f"the format of masks must be one of {', '.join(MASK_FORMATS)}, got {format!r}")
    for given in (path, photos):
        if given is not None and not given.exists():
            raise InvalidInput(f"a path to import must exist, got {str(given)!r}")
    report, troubles = MaskImportReport(format), Troubles()
    with opened(path) as inside:
        beside = inside if inside.is_dir() else inside.parent
        shelf = Shelf(library, beside, photos, report)
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
            fitted = Fitting(self._library, image, drawn_hw)
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
