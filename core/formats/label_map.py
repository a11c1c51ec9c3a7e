"""Maps of labels: one 16-bit PNG an image, pixels numbered by object, and a table beside it of what the numbers are.

Where masks overlap, the smaller lies on top: a part within its whole stays to be seen. What lies below is lost.
"""

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import masks
from core.errors import InvalidInput
from core.formats import fields
from core.formats.pictures import SUFFIXES, LabelMap
from core.formats.records import FoundImage, FoundMask, ImageRecord, Troubles

COLUMNS: Final = ("number", "mask_id", "label", "predicted_iou")
MOST: Final = 65_535
_MOST_TABLE: Final = 50_000_000


class Writer:
    """Writes maps and tables into `labels` of a folder."""

    images = "images"

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "labels"
        self._folder.mkdir(parents=True)

    def add(self, image: ImageRecord) -> None:
        """Write an image's map and table."""
        path = self._folder / f"{Path(image.file_name).stem}.png"
        Image.fromarray(painted(image, MOST).astype(np.uint16)).save(path)
        with path.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            for number, mask in enumerate(image.masks[:MOST], start=1):
                score = "" if mask.predicted_iou is None else mask.predicted_iou
                table.writerow([number, mask.id, mask.label or "", score])

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is left to be written."""


def painted(image: ImageRecord, most: int) -> NDArray[np.int32]:
    """Return a map of an image's masks, shape (H, W): the first is 1; those after the `most`-th are not on it."""
    pixels = np.zeros((image.height, image.width), np.int32)
    numbered = list(enumerate(image.masks[:most], start=1))
    for number, mask in sorted(numbered, key=lambda pair: (-pair[1].area, pair[0])):
        pixels[masks.decode(mask.rle)] = number
    return pixels


def read(path: Path, troubles: Troubles) -> Iterator[FoundImage]:
    """Yield the image of each map: of a file, of a folder, or of its folder `labels`.

    Each number but 0 is an object, and a number's pixels are one object however they lie. A table beside a map, of its
    name, says what they are called.
    """
    folder = path / "labels" if (path / "labels").is_dir() else path
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    if not files:
        troubles.add(f"a folder of label maps must have PNG files in it or in labels, got none in {path.name}")
    for file in files:
        with troubles.noted():
            name = fields.shown(file.name)
            found = LabelMap.of(file, name)
            numbers = found.numbers()
            known: dict[int, tuple[str | None, float | None]] = {}
            if file.with_suffix(".csv").is_file():
                with troubles.noted():
                    known = _rows(file.with_suffix(".csv"), troubles)
            masks_found = []
            for number in numbers:
                label, score = known.get(number, (None, None))
                where = f"object {number} of {name}"
                masks_found.append(FoundMask(where, partial(found.drawn, number), label, score, number=number))
            yield FoundImage(file.stem, found.size_hw, tuple(masks_found))


def _rows(table: Path, troubles: Troubles) -> dict[int, tuple[str | None, float | None]]:
    """Return the label and score of each number."""
    name = fields.shown(table.name)
    found: dict[int, tuple[str | None, float | None]] = {}
    try:
        text = fields.content(table, _MOST_TABLE).decode("utf-8-sig")
        for place, row in enumerate(csv.DictReader(io.StringIO(text, newline="")), start=2):
            number = row.get("number") or ""
            if not (number.isascii() and number.isdecimal() and len(number) < 10):
                wrong = fields.shown(number)
                troubles.add(f"line {place} of {name} must have a whole number as number, got {wrong!r}")
                continue
            try:
                score: float | None = float(row.get("predicted_iou") or "nan")
            except ValueError:
                score = None
            found[int(number)] = fields.label_of(row.get("label")), fields.score_of({"score": score}, "score")
    except (ValueError, csv.Error) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"{name} must be readable as CSV, but is not ({fields.shown(error)})") from error
    return found
