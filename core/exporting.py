"""Writing the library out in other tools' formats, and proving what was written."""

import json
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.errors import InvalidInput
from core.export_report import FORMATS, WITH_POLYGONS, ExportReport, Format
from core.export_source import SAMPLE, Progress, Source
from core.formats import cvat, label_map, label_studio, labelme, sa1b, voc, yolo
from core.formats.coco import CocoWriter
from core.formats.records import Writer
from core.reading_back import compare_coco, compare_other, compare_sa1b
from core.roles import require
from core.workshop import Library
from storage import events
from storage.errors import unwritable

_WRITERS: Final[dict[str, Callable[[Path], Writer]]] = {
    "yolo": yolo.Writer,
    "label-map": label_map.Writer,
    "voc": voc.Writer,
    "label-studio": label_studio.Writer,
}
KEPT_S: Final = 24 * 3600.0
COCO_FILE: Final = "annotations.json"
_BUFFER: Final = 1024 * 1024


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
    sample: int | None = SAMPLE,
    progress: Progress | None = None,
) -> ExportReport:
    """Write every accepted mask of the library into the new folder `out`, read it back and report.

    With `trial` it is written, read back and taken away again: the report says what would be lost. Of a library with
    more than `sample` masks about so many are read back, those of images drawn at random; None reads all.

    It is written under another name first, so `out` appears complete or not at all. Memory holds one image
    with its masks, however many there are; time grows with the masks.

    Raises
    ------
    InvalidInput
        If the format is unknown or has no polygons and they are asked for, `sample` is below 1, or `out` exists and
        is not empty.
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
    if sample is not None and sample < 1:
        raise InvalidInput(f"at least 1 mask must be read back, got {sample}")
    out = out.resolve()  # "." has no name to put a temporary folder beside
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidInput(f"an export must go into a new or empty folder, got {str(out)!r}")
    temporary = out.parent / f".{out.name}.{uuid.uuid4().hex}.part"
    report = ExportReport(format, out, trial)
    try:
        temporary.mkdir(parents=True)
        # One transaction sees one state of the library through all passes, whoever goes on annotating.
        with library.engines.reading() as session:
            source = Source(library, session, report, with_images, sample, progress)
            if format == "coco":
                _write_coco(source, temporary, polygons)
                compare_coco(source, temporary / COCO_FILE)
            elif format == "sa1b":
                _write_sa1b(source, temporary)
                compare_sa1b(source, temporary)
            else:
                _write_other(source, temporary, format, polygons)
                compare_other(source, temporary)
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


def _write_coco(source: Source, folder: Path, polygons: bool) -> None:
    writer = CocoWriter(description="Exported by Masksmith", polygons=polygons)
    with (folder / COCO_FILE).open("w", encoding="utf-8", buffering=_BUFFER) as file:
        file.writelines(writer.images(source.images()))
        file.writelines(writer.annotations(source.counted(folder / "images")))


def _write_sa1b(source: Source, folder: Path) -> None:
    for record in source.counted(folder):
        path = folder / f"{Path(record.file_name).stem}.json"
        path.write_text(json.dumps(sa1b.document(record)), encoding="utf-8")


def _write_other(source: Source, folder: Path, format: Format, polygons: bool) -> None:
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
