"""Writing the library out in other tools' formats, and proving what was written."""

import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from pycocotools import mask as coco_mask

from core import masks as pixels
from core.errors import InvalidInput
from core.formats import cvat, label_map, label_studio, labelme, sa1b, voc, yolo
from core.formats.coco import CocoWriter
from core.formats.polygons import rasterised
from core.formats.readers import READERS
from core.formats.records import FoundImage, ImageRecord, MaskRecord, Troubles, Writer
from core.library import media_type
from core.mask_rows import rle_of
from core.proposals import is_proposal
from core.roles import require
from core.workshop import Library
from storage import events, images, masks
from storage.engine import Session
from storage.errors import StorageError, unwritable
from storage.rows import ImageRow, MaskRow

Format = Literal["coco", "sa1b", "yolo", "label-map", "voc", "labelme", "label-studio", "cvat"]
FORMATS: Final = get_args(Format)
WITH_POLYGONS: Final = ("coco", "labelme", "cvat")
EXACT: Final = ("coco", "sa1b", "yolo", "labelme", "label-studio", "cvat")
"""Formats that hold every pixel of every mask, unless polygons are asked for: a difference is an error."""
LOSES: Final[dict[str, str]] = {
    "coco": "Clicks and scores are not written.",
    "sa1b": "Labels are not written.",
    "yolo": "Scores are not written. Holes and islands hang together by bridges without width.",
    "label-map": "Of masks that overlap only the smaller keeps the pixels they share.",
    "voc": "Of masks that overlap only the smaller keeps the pixels they share; scores, and masks past 254, are lost.",
    "labelme": "Scores are not written.",
    "label-studio": "Nothing but clicks is lost.",
    "cvat": "Scores are not written.",
}
"""What a format cannot hold, to be said before anybody chooses it; what a library loses by it, the report counts."""
_WITHOUT_SCORES: Final = ("coco", "yolo", "voc", "labelme", "cvat")
_WRITERS: Final[dict[str, Callable[[Path], Writer]]] = {
    "yolo": yolo.Writer,
    "label-map": label_map.Writer,
    "voc": voc.Writer,
    "label-studio": label_studio.Writer,
}
Progress = Callable[[int, int], None]
KEPT_S: Final = 24 * 3600.0
COCO_FILE: Final = "annotations.json"


@dataclass(slots=True)
class ExportReport:
    """What was written, and what reading it back showed.

    `compared` masks were read back and compared pixel for pixel with the library; `differing` of them were not equal,
    by `pixels_lost` pixels in all, and `absent` of those not there at all. Only polygons and maps of labels may
    differ. `labels_lost` and `scores_lost` masks had a label or scores that the format has no place for.
    """

    format: str
    folder: Path
    trial: bool = False
    images: int = 0
    masks: int = 0
    without_scores: int = 0
    compared: int = 0
    differing: int = 0
    absent: int = 0
    pixels_lost: int = 0
    labels_lost: int = 0
    scores_lost: int = 0
    bytes: int = 0
    proposals: int = 0
    missing_files: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """Return the report in one or two sentences."""
        where = "were written on trial" if self.trial else f"written to {self.folder}"
        text = f"{self.masks} masks on {self.images} images {where}. "
        if self.differing:
            text += (
                f"{self.differing} of {self.compared} masks differ when read back, by {self.pixels_lost} pixels in all."
            )
            if self.absent:
                text += f" {self.absent} of them are not there at all."
        else:
            text += f"All {self.compared} masks were read back and are equal pixel for pixel."
        if self.without_scores and self.format == "sa1b":
            text += f" {self.without_scores} masks made by hand or imported have no scores; theirs are written as 0."
        if self.proposals:
            text += f" {self.proposals} imported masks that nobody has accepted yet are left out."
        if self.labels_lost:
            text += f" The labels of {self.labels_lost} masks have no place in this format."
        if self.scores_lost:
            text += f" The scores of {self.scores_lost} masks have no place in this format."
        if self.missing_files:
            text += f" {len(self.missing_files)} image files could not be read and are left out."
        return text


def sweep(folder: Path) -> None:
    """Remove exports made in the browser that are older than a day, and what broken ones left."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir() and time.time() - path.stat().st_mtime > KEPT_S:
            shutil.rmtree(path, ignore_errors=True)


def export(
    library: Library,
    out: Path,
    *,
    format: Format,
    polygons: bool = False,
    with_images: bool = True,
    trial: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write every accepted mask of the library into the new folder `out`, read it back and report.

    With `trial` it is written, read back and taken away again: the report says what would be lost.

    It is written under another name first, so `out` appears complete or not at all. Memory holds one image
    with its masks, however many there are; time grows with the masks.

    Raises
    ------
    InvalidInput
        If the format is unknown or has no polygons and they are asked for, or `out` exists and is not empty.
    StorageError
        If the folder cannot be written.
    Forbidden
        If the person may not.
    """
    require(library, "export")
    if format not in FORMATS:
        raise InvalidInput(f"an export's format must be one of {', '.join(FORMATS)}, got {format!r}")
    if polygons and format not in WITH_POLYGONS:
        raise InvalidInput(f"polygons must go with one of {', '.join(WITH_POLYGONS)}, got {format}")
    out = out.resolve()  # "." has no name to put a temporary folder beside
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidInput(f"an export must go into a new or empty folder, got {str(out)!r}")
    temporary = out.parent / f".{out.name}.{uuid.uuid4().hex}.part"
    report = ExportReport(format, out, trial)
    try:
        temporary.mkdir(parents=True)
        # One transaction sees one state of the library through all passes, whoever goes on annotating.
        with library.engines.reading() as session:
            source = _Source(library, session, report, with_images, progress)
            if format == "coco":
                _write_coco(source, temporary, polygons)
                _compare_coco(source, temporary)
            elif format == "sa1b":
                _write_sa1b(source, temporary)
                _compare_sa1b(source, temporary)
            else:
                _write_other(source, temporary, format, polygons)
                _compare_other(source, temporary, format)
        report.bytes = sum(path.stat().st_size for path in temporary.rglob("*") if path.is_file())
        if trial:
            return report
        if out.exists():
            out.rmdir()
        temporary.replace(out)
    except OSError as error:
        raise unwritable(f"the folder {out}", error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    with library.engines.writing() as session:
        detail = {"format": format, "masks": report.masks}
        events.add("export", person_id=library.person_id, detail=detail, session=session)
    return report


@dataclass(frozen=True, slots=True)
class _Source:
    """The library as one export sees it, and the report that is filled on the way."""

    library: Library
    session: Session
    report: ExportReport
    with_images: bool
    progress: Progress | None

    def rows(self) -> Iterator[tuple[ImageRow, ImageRecord]]:
        """Yield every image with its accepted masks, in order of id."""
        for image_id, found in masks.stream(self.library.project_id, session=self.session):
            row = images.get(image_id, session=self.session)
            yield row, _record(row, [mask for mask in found if not is_proposal(mask)])

    def records(self) -> Iterator[ImageRecord]:
        """Yield every image with its masks as writers want them."""
        return (record for _, record in self.rows())

    def counted(self, folder: Path) -> Iterator[ImageRecord]:
        """Yield the records once more, counting them and copying their working images into `folder`."""
        total = images.count(self.library.project_id, session=self.session)
        for done, (row, record) in enumerate(self.rows(), start=1):
            self.report.images += 1
            self.report.masks += len(record.masks)
            self.report.without_scores += sum(mask.predicted_iou is None for mask in record.masks)
            if self.with_images:
                _copy_image(self.library, row, folder / record.file_name, self.report)
            if self.report.format in _WITHOUT_SCORES:
                self.report.scores_lost += sum(mask.predicted_iou is not None for mask in record.masks)
            if self.report.format == "sa1b":
                self.report.labels_lost += sum(mask.label is not None for mask in record.masks)
            self.report.proposals += row.proposals
            yield record
            if self.progress:
                self.progress(done, total)


def _record(row: ImageRow, found: list[MaskRow]) -> ImageRecord:
    return ImageRecord(row.id, f"{row.id:08d}.jpg", row.width, row.height, tuple(_mask_record(mask) for mask in found))


def _mask_record(mask: MaskRow) -> MaskRecord:
    clicked = [prompt for prompt in mask.prompts if prompt.kind == "point" and prompt.label == 1]
    return MaskRecord(
        id=mask.id,
        rle=rle_of(mask),
        area=mask.area,
        bbox=mask.bbox,
        label=mask.label,
        predicted_iou=mask.predicted_iou,
        stability_score=mask.stability_score,
        points=tuple((prompt.x, prompt.y) for prompt in clicked),
        origin=mask.origin,
        edited=mask.edited,
    )


def _write_coco(source: _Source, folder: Path, polygons: bool) -> None:
    writer = CocoWriter(description="Exported by Masksmith", polygons=polygons)
    with (folder / COCO_FILE).open("w", encoding="utf-8") as file:
        file.writelines(writer.images(source.records()))
        file.writelines(writer.annotations(source.counted(folder / "images")))


def _write_sa1b(source: _Source, folder: Path) -> None:
    for record in source.counted(folder):
        path = folder / f"{Path(record.file_name).stem}.json"
        path.write_text(json.dumps(sa1b.document(record)), encoding="utf-8")


def _write_other(source: _Source, folder: Path, format: Format, polygons: bool) -> None:
    writer = _writer(folder, format, polygons)
    with writer:
        for record in source.counted(folder / writer.images):
            writer.add(record)
    source.report.labels_lost += getattr(writer, "labels_lost", 0)


def _writer(folder: Path, format: Format, polygons: bool) -> Writer:
    if format == "labelme":
        return labelme.Writer(folder, polygons=polygons)
    if format == "cvat":
        return cvat.Writer(folder, polygons=polygons)
    return _WRITERS[format](folder)


def _compare_other(source: _Source, folder: Path, format: Format) -> None:
    """Read the folder back as an import would, which knows nothing of how it was written, image by image."""
    troubles = Troubles()
    found = READERS[format](folder, troubles)
    image: FoundImage | None = None
    for record in source.records():
        if image is None:  # the next is not read before this one is let go: memory holds one
            image = next(found, None)
        here = None
        if image is not None and Path(image.file_name).stem == Path(record.file_name).stem:
            here, image = image, None
        _compare_found(record, here, source.report)
        del here


def _compare_found(record: ImageRecord, found: FoundImage | None, report: ExportReport) -> None:
    """Compare what was read with an image's masks: by number on maps of labels, else one after the other."""
    read = found.masks if found else ()
    numbered = {mask.number: mask for mask in read if mask.number is not None}
    in_order = iter(read)
    for number, mask in enumerate(record.masks, start=1):
        report.compared += 1
        one = numbered.get(number) if numbered else next(in_order, None) if mask.area else None
        drawn = pixels.decode(mask.rle)
        if one is None:
            there = mask.area == 0
        else:
            there = True
            drawn = drawn ^ pixels.decode(one.draw(record.height, record.width))
        lost = int(np.count_nonzero(drawn))
        report.differing += lost > 0
        report.absent += not there
        report.pixels_lost += lost


def _copy_image(library: Library, row: ImageRow, target: Path, report: ExportReport) -> None:
    try:
        data = library.files.get("working", row.working_sha256)
    except StorageError:
        report.missing_files.append(row.name)
        return
    if media_type(data) != "image/jpeg":
        raise StorageError(f"the working image of image {row.id} must be JPEG, but is not")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def _compare_sa1b(source: _Source, folder: Path) -> None:
    for record in source.records():
        written = json.loads((folder / f"{Path(record.file_name).stem}.json").read_text(encoding="utf-8"))
        _compare(record, {entry["id"]: entry["segmentation"] for entry in written["annotations"]}, source.report)


def _compare_coco(source: _Source, folder: Path) -> None:
    """Read the file back line by line: each annotation is a line, in the library's order."""
    with (folder / COCO_FILE).open(encoding="utf-8") as file:
        for line in file:
            if line.startswith('"annotations"'):
                break
        for record in source.records():
            entries = [json.loads(line.rstrip(",\n")) for line in islice(file, len(record.masks))]
            _compare(record, {entry["id"]: entry["segmentation"] for entry in entries}, source.report)


def _compare(record: ImageRecord, written: dict[int, Any], report: ExportReport) -> None:
    for mask in record.masks:
        report.compared += 1
        segmentation = written.get(mask.id)
        drawn = pixels.decode(mask.rle)
        if segmentation is None:
            report.differing += 1
            report.absent += 1
            report.pixels_lost += int(np.count_nonzero(drawn))
            continue
        if isinstance(segmentation, list):
            read = rasterised(segmentation, record.height, record.width)
        else:
            read = coco_mask.decode(segmentation).astype(bool)
        lost = int(np.count_nonzero(read ^ drawn))
        report.differing += lost > 0
        report.pixels_lost += lost
