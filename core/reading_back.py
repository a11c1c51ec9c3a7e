"""Reading an export back as a stranger would, and comparing it with the library."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from pycocotools import mask as coco_mask

from core import masks as pixels
from core.export_report import ExportReport
from core.export_source import Source
from core.formats.polygons import rasterised
from core.formats.readers import READERS
from core.formats.records import FoundImage, ImageRecord, Troubles
from storage.errors import StorageError


def compare_coco(source: Source, path: Path) -> None:
    """Read a COCO file back line by line: each annotation is a line, in the library's order.

    Raises
    ------
    StorageError
        If there are fewer or more annotations than masks were written.
    """
    at = 0
    with path.open(encoding="utf-8") as file:
        _pass_to_annotations(file)
        for record, before in source.drawn():
            at += _passed(islice(file, before - at))
            lines = list(islice(file, len(record.masks)))
            at += len(lines)
            _compare(record, dict(map(_annotation, lines)), source.report)
        at += _passed(islice(file, source.report.masks - at))
        after = file.readline().rstrip("\n") if source.report.masks else "],"
    if at != source.report.masks or after != "],":
        raise StorageError(f"{path.name} must hold {source.report.masks} annotations, got {at}, then {after[:40]!r}")


def compare_sa1b(source: Source, folder: Path) -> None:
    """Read back the file of each image that is drawn."""
    for record, _ in source.drawn():
        written = json.loads((folder / f"{Path(record.file_name).stem}.json").read_text(encoding="utf-8"))
        _compare(record, {entry["id"]: entry["segmentation"] for entry in written["annotations"]}, source.report)


def compare_other(source: Source, folder: Path) -> None:
    """Read the folder back as an import would, which knows nothing of how it was written, image by image."""
    found = READERS[source.report.format](folder, Troubles())
    image: FoundImage | None = None
    for record, _ in source.drawn():
        name = Path(record.file_name).stem
        while image is None or Path(image.file_name).stem < name:  # one at a time: memory holds one
            image = next(found, None)
            if image is None:
                break
        here = None
        if image is not None and Path(image.file_name).stem == name:
            here, image = image, None
        _compare_found(record, here, source.report)
        del here


def _annotation(line: str) -> tuple[int | None, Any]:
    """Return id and segmentation of an annotation's line; nothing where it is none."""
    try:
        entry = json.loads(line.rstrip(",\n"))
        return entry["id"], entry["segmentation"]
    except (ValueError, TypeError, KeyError):
        return None, None


def _pass_to_annotations(file: TextIO) -> None:
    for line in file:
        if line.startswith('"annotations"'):
            return


def _passed(lines: Iterator[str]) -> int:
    return sum(1 for _ in lines)


def _compare(record: ImageRecord, written: dict[int | None, Any], report: ExportReport) -> None:
    for mask in record.masks:
        report.compared += 1
        segmentation = written.get(mask.id)
        if segmentation == mask.rle:  # the same runs are the same pixels
            continue
        drawn = pixels.decode(mask.rle)
        if segmentation is None:
            report.absent += 1
            lost = int(np.count_nonzero(drawn))
        elif isinstance(segmentation, list):
            lost = int(np.count_nonzero(rasterised(segmentation, record.height, record.width) ^ drawn))
        else:
            lost = int(np.count_nonzero(coco_mask.decode(segmentation).astype(bool) ^ drawn))
        report.differing += lost > 0 or segmentation is None
        report.pixels_lost += lost


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
