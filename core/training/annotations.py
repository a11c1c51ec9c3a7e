"""Data sets whose masks are JSON: COCO instances and SA-1B."""

import json
from functools import partial
from pathlib import Path
from typing import Any, Final

from core.errors import InvalidInput
from core.formats.fields import dicts, has, identity, size_of
from core.formats.segmentations import as_mask
from core.pictures import SUFFIXES
from core.training.examples import Dataset, Drawing, Entry, Photo, drawn, fingerprint

_Size = tuple[int, int]
_CROWD: Final = "iscrowd"


def read_coco(path: Path, document: Any) -> Dataset:
    """Return the data set of a COCO file.

    Its photos lie beside it or in `images`; or as COCO itself comes: of `annotations/instances_val.json` in `val`.
    Annotations with `iscrowd` are of many objects at once; they are counted, not measured on.

    Raises
    ------
    InvalidInput
        If an image or annotation is incomplete, an id comes twice, or an image is not there.
    """
    images: dict[int | str, dict[str, Any]] = {}
    for image in dicts(document["images"], f"an image of {path.name}"):
        number = identity(image, "id", f"an image of {path.name}")
        if number in images:
            raise InvalidInput(f"each image of {path.name} must have an id of its own, got {number} twice")
        images[number] = image
    photos: dict[int | str, tuple[Photo, _Size]] = {}
    entries: dict[str, Entry] = {}
    files: list[Path] = []
    crowds = 0
    for annotation in dicts(document["annotations"], f"an annotation of {path.name}"):
        name = str(identity(annotation, "id", f"an annotation of {path.name}"))
        if annotation.get(_CROWD):
            crowds += 1
            continue
        what = f"annotation {name} of {path.name}"
        number = identity(annotation, "image_id", what)
        if number not in images:
            raise InvalidInput(f"{what} must belong to an image of the file, but there is no image {number}")
        if number not in photos:
            file = _photo(path, has(images[number], "file_name", f"image {number} of {path.name}"))
            files.append(file)
            size = size_of(images[number], f"image {number} of {path.name}")
            photos[number] = (Photo(f"{number} ({file.name})", file.read_bytes), size)
        if name in entries:
            raise InvalidInput(f"each annotation of {path.name} must have an id of its own, got {name} twice")
        photo, size = photos[number]
        entries[name] = Entry(name, photo, partial(_drawn, has(annotation, "segmentation", what), size))
    data = path.read_bytes()
    return Dataset(_name(path), fingerprint(data, files), tuple(entries.values()), crowds)


def read_sa1b(folder: Path, paths: list[Path]) -> Dataset:
    """Return the data set of SA-1B files, one an image; the photos lie beside them.

    Only where the masks are is kept: a file is read again for each mask that is asked for.

    Raises
    ------
    InvalidInput
        If a file is incomplete or its photo is not there.
    """
    entries: dict[str, Entry] = {}
    files: list[Path] = []
    for path in paths:
        document = json.loads(path.read_bytes())
        image = document["image"]
        file = _photo(path, has(image, "file_name", f"the image of {path.name}"))
        size = size_of(image, f"the image of {path.name}")
        photo = Photo(f"{path.stem} ({file.name})", file.read_bytes)
        files += [path, file]
        for index, annotation in enumerate(dicts(document["annotations"], f"an annotation of {path.name}")):
            name = f"{path.stem}/{identity(annotation, 'id', f'an annotation of {path.name}')}"
            has(annotation, "segmentation", f"annotation {name}")
            if name in entries:
                raise InvalidInput(f"each annotation of {path.name} must have an id of its own, got {name} twice")
            entries[name] = Entry(name, photo, partial(_drawn_in, path, index, size))
    index_bytes = "\n".join(entries).encode()
    return Dataset(folder.resolve().name, fingerprint(index_bytes, files), tuple(entries.values()))


def _drawn_in(path: Path, index: int, size: _Size) -> Drawing:
    return _drawn(json.loads(path.read_bytes())["annotations"][index]["segmentation"], size)


def _drawn(segmentation: Any, size: _Size) -> Drawing:
    return drawn(as_mask(segmentation, *size))


def _name(path: Path) -> str:
    folder = path.resolve().parent.name
    return folder if path.name == "annotations.json" else f"{folder}/{path.stem}"


def _photo(index: Path, name: Any) -> Path:
    above, part = index.parent.parent, index.stem.removeprefix("instances_")
    for folder in (index.parent, index.parent / "images", above / "images", above / part, above / "images" / part):
        path = folder / str(name)
        if path.is_file() and path.suffix.lower() in SUFFIXES:
            return path
    raise InvalidInput(f"{index.name} must have its photos beside it or in images, but there is no {str(name)[:80]}")
