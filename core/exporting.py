"""Writing the library out in other tools' formats, and proving what was written."""

import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pycocotools import mask as coco_mask

from core import masks as pixels
from core.errors import InvalidInput
from core.formats import sa1b
from core.formats.coco import CocoWriter, rasterised
from core.formats.records import ImageRecord, MaskRecord
from core.library import media_type
from core.mask_rows import rle_of
from core.roles import require
from core.workshop import Library
from storage import events, images, masks
from storage.engine import Session
from storage.errors import StorageError
from storage.rows import ImageRow, MaskRow

Format = Literal["coco", "sa1b"]
FORMATS: Final = ("coco", "sa1b")
Progress = Callable[[int, int], None]
KEPT_S: Final = 24 * 3600.0
COCO_FILE: Final = "annotations.json"


@dataclass(slots=True)
class ExportReport:
    """What was written, and what reading it back showed.

    `compared` masks were read back by pycocotools and compared pixel for pixel with the library; `differing`
    of them were not equal. Only polygons may differ, by `pixels_lost` pixels in all.
    """

    format: str
    folder: Path
    images: int = 0
    masks: int = 0
    without_scores: int = 0
    compared: int = 0
    differing: int = 0
    pixels_lost: int = 0
    bytes: int = 0
    missing_files: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """Return the report in one or two sentences."""
        text = f"{self.masks} masks on {self.images} images written to {self.folder}. "
        if self.differing:
            text += (
                f"{self.differing} of {self.compared} masks differ when read back, by {self.pixels_lost} pixels in all."
            )
        else:
            text += f"All {self.compared} masks were read back and are equal pixel for pixel."
        if self.without_scores and self.format == "sa1b":
            text += f" {self.without_scores} masks made by hand have no scores; theirs are written as 0."
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
    progress: Progress | None = None,
) -> ExportReport:
    """Write every live mask of the library into the new folder `out`, read it back and report.

    It is written under another name first, so `out` appears complete or not at all. Memory holds one image
    with its masks, however many there are; time grows with the masks.

    Raises
    ------
    InvalidInput
        If the format is unknown, polygons are asked of SA-1B, or `out` exists and is not empty.
    StorageError
        If the folder cannot be written.
    Forbidden
        If the person may not.
    """
    require(library, "export")
    if format not in FORMATS:
        raise InvalidInput(f"an export's format must be one of {', '.join(FORMATS)}, got {format!r}")
    if polygons and format != "coco":
        raise InvalidInput(f"polygons must go with the format coco, got {format}")
    out = out.resolve()  # "." has no name to put a temporary folder beside
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidInput(f"an export must go into a new or empty folder, got {str(out)!r}")
    temporary = out.parent / f".{out.name}.{uuid.uuid4().hex}.part"
    report = ExportReport(format, out)
    try:
        temporary.mkdir(parents=True)
        # One transaction sees one state of the library through all passes, whoever goes on annotating.
        with library.engines.reading() as session:
            source = _Source(library, session, report, with_images, progress)
            if format == "coco":
                _write_coco(source, temporary, polygons)
                _compare_coco(source, temporary)
            else:
                _write_sa1b(source, temporary)
                _compare_sa1b(source, temporary)
        report.bytes = sum(path.stat().st_size for path in temporary.rglob("*") if path.is_file())
        if out.exists():
            out.rmdir()
        temporary.replace(out)
    except OSError as error:
        raise StorageError(f"the folder {out} must be writable, got: {error.strerror}") from error
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
        """Yield every image with its masks, in order of id."""
        for image_id, found in masks.stream(self.library.project_id, session=self.session):
            row = images.get(image_id, session=self.session)
            yield row, _record(row, found)

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
    source.report.pixels_lost = writer.pixels_lost


def _write_sa1b(source: _Source, folder: Path) -> None:
    for record in source.counted(folder):
        path = folder / f"{Path(record.file_name).stem}.json"
        path.write_text(json.dumps(sa1b.document(record)), encoding="utf-8")


def _copy_image(library: Library, row: ImageRow, target: Path, report: ExportReport) -> None:
    try:
        data = library.files.get("working", row.working_sha256)
    except StorageError:
        report.missing_files.append(row.name)
        return
    if media_type(data) != "image/jpeg":
        raise StorageError(f"the working image of {row.name} must be JPEG, but is not")
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
        if segmentation is None:
            report.differing += 1
            continue
        if isinstance(segmentation, list):
            read = rasterised(segmentation, record.height, record.width)
        else:
            read = coco_mask.decode(segmentation).astype(bool)
        report.differing += not np.array_equal(read, pixels.decode(mask.rle))
