"""labelme: one JSON file an image, beside it. Masks as pictures of their boxes, exactly; or as polygons.

labelme reads masks since 5.2. Polygons hold no holes; islands of one object share a `group_id`.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
from PIL import Image

from core import masks
from core.errors import InvalidInput
from core.formats import fields
from core.formats.pictures import LabelMap
from core.formats.placing import placed
from core.formats.polygons import all_checked, merged, outlines_of
from core.formats.records import FoundImage, FoundMask, ImageRecord, MaskRecord, Troubles
from core.masks import Mask, Rle

VERSION: Final = "5.5.0"
UNLABELLED: Final = "object"


class Writer:
    """Writes a JSON file beside each image."""

    images = "."

    def __init__(self, folder: Path, *, polygons: bool = False) -> None:
        self._folder = folder
        self._polygons = polygons

    def add(self, image: ImageRecord) -> None:
        """Write an image's file."""
        shapes: list[dict[str, Any]] = []
        for number, mask in enumerate(image.masks, start=1):
            shapes += self._shapes(mask, number)
        written: dict[str, Any] = {
            "version": VERSION,
            "flags": {},
            "shapes": shapes,
            "imagePath": image.file_name,
            "imageData": None,
            "imageHeight": image.height,
            "imageWidth": image.width,
        }
        path = self._folder / f"{Path(image.file_name).stem}.json"
        path.write_text(json.dumps(written), encoding="utf-8")

    def _shapes(self, mask: MaskRecord, number: int) -> list[dict[str, Any]]:
        drawn = masks.decode(mask.rle)
        shape: dict[str, Any] = {
            "label": mask.label or UNLABELLED,
            "flags": {},
            "description": "",
            "group_id": None,
            "mask": None,
        }
        if self._polygons:
            outlines = outlines_of(drawn)
            group = number if len(outlines) > 1 else None
            corners = [[[x, y] for x, y in zip(line[::2], line[1::2], strict=True)] for line in outlines]
            return [{**shape, "group_id": group, "shape_type": "polygon", "points": points} for points in corners]
        x, y, width, height = mask.bbox
        if not width:
            return []
        points = [[float(x), float(y)], [float(x + width - 1), float(y + height - 1)]]  # both corners belong to the box
        return [{**shape, "shape_type": "mask", "points": points, "mask": _png(drawn[y : y + height, x : x + width])}]

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing is left to be written."""


def _png(crop: Mask) -> str:
    buffer = BytesIO()
    Image.fromarray(crop.astype(np.uint8)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def read(path: Path, troubles: Troubles) -> Iterator[FoundImage]:
    """Yield the image of a file, or of each JSON file of a folder and below.

    Polygons and masks are read; shapes of one label and `group_id` are one object. Others are counted.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    if not files:
        troubles.add(f"a folder of labelme files must have JSON files, got none in {fields.shown(path.name)}")
    for file in files:
        with troubles.noted():
            name = fields.shown(file.name)
            read = fields.keyed(fields.document(file), name)
            size = fields.size_of(read, name, "imageHeight", "imageWidth")
            shapes = fields.has(read, "shapes", name)
            file_name = fields.last_part(fields.text(read, "imagePath", name))
            yield FoundImage(file_name, size, tuple(_masks(shapes, name, troubles)))


def _masks(shapes: Any, name: str, troubles: Troubles) -> Iterator[FoundMask]:
    if not isinstance(shapes, list):
        raise InvalidInput(f"{name} must have a list of shapes, got {fields.shown(shapes)}")
    groups: dict[Any, list[tuple[str, dict[str, Any]]]] = {}
    for place, shape in enumerate(shapes):
        with troubles.noted():
            where = f"shape {place + 1} of {name}"
            kind = fields.keyed(shape, where).get("shape_type") or "polygon"
            if kind not in ("polygon", "mask"):
                troubles.pass_over(fields.shown(kind))
                continue
            fields.has(shape, "points", where)
            group = shape.get("group_id")
            label = str(shape.get("label"))
            key = (label, group) if fields.whole(group) or isinstance(group, str) else (label, None, place)
            groups.setdefault(key, []).append((where, shape))
    for found in groups.values():
        where, first = found[0]
        yield FoundMask(where, partial(_drawn, [shape for _, shape in found]), fields.label_of(first.get("label")))


def _drawn(shapes: list[dict[str, Any]], height: int, width: int) -> Rle:
    polygons: list[Any] = []
    parts: list[Rle] = []
    for shape in shapes:
        corners = shape["points"]
        if not isinstance(corners, list) or not all(
            isinstance(corner, list) and len(corner) == 2 for corner in corners
        ):
            raise InvalidInput(f"points must be a list of [x, y], got {fields.shown(corners)}")
        flat = [value for corner in corners for value in corner]
        if shape.get("shape_type") == "mask":
            parts.append(_pasted(shape.get("mask"), flat, height, width))
        else:
            polygons.append(flat)
    if polygons:
        parts.append(merged(all_checked(polygons), height, width))
    return masks.union(parts)


def _pasted(mask: Any, box: list[Any], height: int, width: int) -> Rle:
    if len(box) != 4 or not all(fields.finite(value) for value in box):
        raise InvalidInput(f"a mask's points must be two corners, got {fields.shown(box)}")
    x0, y0, x1, y1 = (int(value) for value in box)
    if not isinstance(mask, str):
        raise InvalidInput(f"a mask must be a PNG in base64, got {fields.shown(mask)}")
    try:
        data = base64.b64decode(mask, validate=True)
    except (ValueError, binascii.Error) as error:
        raise InvalidInput(f"a mask must be a PNG in base64, got {fields.shown(mask)[:20]!r}") from error
    picture = LabelMap.of(data, "a mask's picture")
    if picture.size_hw != (y1 - y0 + 1, x1 - x0 + 1):
        raise InvalidInput(
            f"a mask's picture must fill its box of {x1 - x0 + 1} x {y1 - y0 + 1}, "
            f"got {picture.size_hw[1]} x {picture.size_hw[0]}"
        )
    if picture.size_hw[0] > height or picture.size_hw[1] > width:
        raise InvalidInput(f"a mask must lie within its image of {width} x {height}, got a larger one")
    return placed(picture.pixels() > 0, x0, y0, height, width)
