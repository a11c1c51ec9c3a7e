"""Data sets whose masks are pictures: a manifest, or folders of photos and of maps of labels."""

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InvalidInput
from core.pictures import SUFFIXES
from core.training.examples import OBJECT, UNSURE, Dataset, Drawing, Entry, Photo, drawn, fingerprint

COLUMNS: Final = ("id", "image", "mask")


def read_manifest(path: Path) -> Dataset:
    """Return the data set of a CSV file with the columns id, image and mask; others are passed over.

    Paths are from the manifest's folder. A mask of 8 bits is 255 on the object, 128 where it is unsure and 0
    elsewhere; one of 16 or more bits is a map of labels, each number but 0 an object.

    Raises
    ------
    InvalidInput
        If a column, a value or a file is missing, or an id comes twice.
    """
    data, rows = _rows(path)
    entries: list[Entry] = []
    files: list[Path] = []
    photos: dict[str, Photo] = {}
    for number, row in rows:
        image, mask = (_file(path.parent, row[column], f"line {number} of {path.name}") for column in COLUMNS[1:])
        files += [image, mask]
        photo = photos.setdefault(row["image"], Photo(row["image"], image.read_bytes))
        if _is_wide(mask):
            entries += _labelled(row["id"], photo, mask)
        else:
            entries.append(Entry(row["id"], photo, partial(_grey, mask)))
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise InvalidInput(f"each id of {path.name} must be one object's own, got {entry.id!r} twice")
        seen.add(entry.id)
    return Dataset(path.resolve().parent.name, fingerprint(data, files), tuple(entries))


def read_labels(folder: Path) -> Dataset:
    """Return the data set of a folder with maps of labels in `labels` and photos of the same names in `images`.

    Each number of a map but 0 is an object.

    Raises
    ------
    InvalidInput
        If a map has no photo or cannot be read.
    """
    photos = {path.stem: path for path in sorted((folder / "images").iterdir()) if path.suffix.lower() in SUFFIXES}
    entries: list[Entry] = []
    files: list[Path] = []
    for path in sorted((folder / "labels").iterdir()):
        if path.suffix.lower() not in SUFFIXES:
            continue
        if path.stem not in photos:
            raise InvalidInput(f"each map of labels must have a photo of its name in images, but {path.name} has none")
        files += [photos[path.stem], path]
        photo = Photo(photos[path.stem].name, photos[path.stem].read_bytes)
        entries += _labelled(path.stem, photo, path)
    index = "\n".join(entry.id for entry in entries).encode()
    return Dataset(folder.resolve().name, fingerprint(index, files), tuple(entries))


def _rows(path: Path) -> tuple[bytes, Iterator[tuple[int, dict[str, str]]]]:
    try:
        data = path.read_bytes()
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        rows: list[dict[str, Any]] = list(reader)
        columns = reader.fieldnames or []
    except (OSError, ValueError, csv.Error) as error:
        raise InvalidInput(f"a manifest must be a readable CSV file, but {path.name} is not ({error})") from error
    for column in COLUMNS:
        if column not in columns:
            raise InvalidInput(
                f"a manifest must have the columns {', '.join(COLUMNS)}, but {path.name} has no {column}"
            )
    return data, _complete(path, rows)


def _complete(path: Path, rows: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, row in enumerate(rows, start=2):
        for column in COLUMNS:
            if not row[column]:
                raise InvalidInput(
                    f"each line of {path.name} must have a value for {column}, but line {number} has not"
                )
        yield number, row


def _file(folder: Path, name: str, where: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise InvalidInput(f"{where} must name a file, but there is no {name}")
    return path


def _labelled(name: str, photo: Photo, path: Path) -> list[Entry]:
    numbers = [int(value) for value in np.unique(_labels(path)) if value > 0]
    return [Entry(f"{name}/{number}", photo, partial(_label, path, number)) for number in numbers]


def _label(path: Path, number: int) -> Drawing:
    return drawn(_labels(path) == number)


def _labels(path: Path) -> NDArray[Any]:
    labels = np.asarray(_opened(path))
    if labels.ndim != 2 or labels.dtype.kind not in "ui":
        raise InvalidInput(f"a map of labels must have one whole number a pixel, but {path.name} has not")
    return labels


def _grey(path: Path) -> Drawing:
    drawing = np.asarray(_opened(path).convert("L"))
    strange = np.setdiff1d(drawing, [0, UNSURE, OBJECT])
    if strange.size:
        raise InvalidInput(
            f"a mask must be {OBJECT} on the object, {UNSURE} where it is unsure and 0 elsewhere, got {strange[0]} too "
            f"in {path.name}; maps of labels must have 16 bits"
        )
    return drawing


def _is_wide(path: Path) -> bool:
    return _opened(path, load=False).mode.startswith("I")


def _opened(path: Path, *, load: bool = True) -> Image.Image:
    try:
        with Image.open(path) as image:
            if load:
                image.load()
            return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidInput(f"a mask must be a readable picture, but {path.name} is not") from error
