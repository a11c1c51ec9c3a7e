"""CVAT for images 1.1: one XML file, masks as row by row run lengths of their boxes; or polygons.

Polygons hold no holes; islands of one object share a `group_id`. A file that declares a document type is refused:
nothing but entities would be in it.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

import numpy as np

from core import masks
from core.errors import InvalidInput
from core.formats import fields
from core.formats.placing import placed
from core.formats.polygons import all_checked, merged, outlines_of
from core.formats.records import FoundImage, FoundMask, ImageRecord, MaskRecord, Troubles
from core.masks import Mask, Rle

FILE: Final = "annotations.xml"
UNLABELLED: Final = "object"
_PIECE: Final = 1 << 13
_SHAPES: Final = ("polygon", "mask", "box", "polyline", "points", "cuboid", "ellipse", "skeleton", "tag")


class Writer:
    """Writes `annotations.xml` as a stream."""

    images = "images"

    def __init__(self, folder: Path, *, polygons: bool = False) -> None:
        self._polygons = polygons
        self._file = (folder / FILE).open("w", encoding="utf-8")
        self._file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n')

    def add(self, image: ImageRecord) -> None:
        """Write an image with its masks."""
        name = quoteattr(image.file_name)
        self._file.write(f'  <image id="{image.id}" name={name} width="{image.width}" height="{image.height}">\n')
        for number, mask in enumerate(image.masks, start=1):
            self._file.writelines(self._shapes(mask, number))
        self._file.write("  </image>\n")

    def _shapes(self, mask: MaskRecord, number: int) -> Iterator[str]:
        said = f'label={quoteattr(_plain(mask.label))} source="manual" occluded="0" z_order="0"'
        drawn = masks.decode(mask.rle)
        if self._polygons:
            outlines = outlines_of(drawn)
            group = f' group_id="{number}"' if len(outlines) > 1 else ""
            for line in outlines:
                points = ";".join(f"{x:g},{y:g}" for x, y in zip(line[::2], line[1::2], strict=True))
                yield f'    <polygon {said} points="{points}"{group}>\n    </polygon>\n'
        elif mask.area:
            x, y, width, height = mask.bbox
            runs = ", ".join(str(run) for run in runs_of(drawn[y : y + height, x : x + width]))
            place = f'left="{x}" top="{y}" width="{width}" height="{height}"'
            yield f'    <mask {said} rle="{runs}" {place}>\n    </mask>\n'

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.write("</annotations>\n")
        self._file.close()


def _plain(label: str | None) -> str:
    return "".join(char for char in label or "" if char.isprintable()) or UNLABELLED


def runs_of(crop: Mask) -> list[int]:
    """Return the run lengths of a mask row by row, beginning with what is not the object.

    Examples
    --------
    >>> runs_of(np.array([[1, 1], [0, 1]], bool))
    [0, 2, 1, 1]
    """
    flat = crop.ravel()
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, flat.size)
    runs: list[int] = np.diff(ends, prepend=0).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def read(path: Path, troubles: Troubles) -> Iterator[FoundImage]:
    """Yield each image of a file, or of each XML file of a folder and below.

    Polygons and masks are read; shapes of one label and `group_id` are one object. Other shapes are counted, as are
    the tracks of videos.
    """
    files = sorted(path.rglob("*.xml")) if path.is_dir() else [path]
    if not files:
        troubles.add(f"a folder of CVAT files must have XML files, got none in {fields.shown(path.name)}")
    for file in files:
        with troubles.noted():
            yield from _File(fields.shown(file.name), troubles).images(file)


class _File:
    """One file on its way through the parser; the images that are complete wait in `done`."""

    def __init__(self, name: str, troubles: Troubles) -> None:
        self._name = name
        self._troubles = troubles
        self._done: list[FoundImage] = []
        self._image: dict[str, str] | None = None
        self._shapes: list[tuple[str, dict[str, str]]] = []
        self._place = 0
        self._root = False

    def images(self, file: Path) -> Iterator[FoundImage]:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse
        try:
            if file.stat().st_size > fields.MOST_BYTES:
                raise InvalidInput(f"{self._name} must have at most {fields.MOST_BYTES // 10**6} MB, got more")
            with file.open("rb") as stream:
                while piece := stream.read(_PIECE):
                    parser.Parse(piece, False)
                    yield from self._taken()
                parser.Parse(b"", True)
                yield from self._taken()
        except OSError as error:
            raise InvalidInput(f"{self._name} must be readable, got: {error.strerror}") from error
        except (expat.ExpatError, ValueError, LookupError) as error:
            if isinstance(error, InvalidInput):
                raise
            raise InvalidInput(f"{self._name} must be well-formed XML, but is not ({fields.shown(error)})") from error

    def _taken(self) -> list[FoundImage]:
        done, self._done = self._done, []
        return done

    def _refuse(self, *_said: Any) -> None:
        raise InvalidInput(f"{self._name} must not declare a document type, but does")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._root:
            if tag != "annotations":
                raise InvalidInput(
                    f"{self._name} must be a CVAT file that begins with annotations, got {fields.shown(tag)}"
                )
            self._root = True
        elif tag == "image":
            self._place += 1
            self._image, self._shapes = attributes, []
        elif tag == "track":
            self._troubles.pass_over("track")
        elif tag in _SHAPES and self._image is not None:
            self._shapes.append((tag, attributes))

    def _end(self, tag: str) -> None:
        if tag != "image" or self._image is None:
            return
        image, self._image = self._image, None
        with self._troubles.noted():
            where = f"image {self._place} of {self._name}"
            numbers = {side: _whole(image.get(side), side, where) for side in ("height", "width")}
            size = fields.size_of(numbers, where)
            name = fields.text(image, "name", where)
            self._done.append(FoundImage(name, size, tuple(self._masks(where))))

    def _masks(self, where: str) -> Iterator[FoundMask]:
        groups: dict[Any, list[tuple[str, dict[str, str]]]] = {}
        for place, (tag, shape) in enumerate(self._shapes, start=1):
            if tag not in ("polygon", "mask"):
                self._troubles.pass_over(tag)
                continue
            group = shape.get("group_id", "0")
            key = (shape.get("label"), group) if group != "0" else place
            groups.setdefault(key, []).append((f"{tag} {place} of {where}", {"": tag, **shape}))
        for found in groups.values():
            which, first = found[0]
            shapes = [shape for _, shape in found]
            yield FoundMask(which, partial(_drawn, shapes), fields.label_of(first.get("label")))


def _whole(value: str | None, key: str, where: str) -> int:
    if value is None or not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise InvalidInput(f"{where} must have a whole number as {key}, got {fields.shown(value)}")
    return int(value)


def _drawn(shapes: list[dict[str, str]], height: int, width: int) -> Rle:
    polygons: list[Any] = []
    parts: list[Rle] = []
    for shape in shapes:
        if shape[""] == "mask":
            parts.append(_pasted(shape, height, width))
        else:
            polygons.append(_points(shape.get("points", "")))
    if polygons:
        parts.append(merged(all_checked(polygons), height, width))
    return masks.union(parts)


def _points(text: str) -> list[float]:
    try:
        corners = [[float(value) for value in corner.split(",")] for corner in text.split(";")]
    except ValueError as error:
        raise InvalidInput(f"points must be x,y;x,y;..., got {fields.shown(text)!r}") from error
    if any(len(corner) != 2 for corner in corners):
        raise InvalidInput(f"points must be x,y;x,y;..., got {fields.shown(text)!r}")
    return [value for corner in corners for value in corner]


def _pasted(shape: dict[str, str], height: int, width: int) -> Rle:
    x, y, across, down = (_whole(shape.get(key), key, "a mask") for key in ("left", "top", "width", "height"))
    if across < 1 or down < 1 or x + across > width or y + down > height:
        raise InvalidInput(f"a mask must lie within its image of {width} x {height}, got {across} x {down} at {x}, {y}")
    try:
        runs = [int(run) for run in shape.get("rle", "").split(",")]
    except ValueError as error:
        raise InvalidInput(f"a mask's rle must be whole numbers, got {fields.shown(shape.get('rle'))!r}") from error
    if min(runs) < 0 or sum(runs) != across * down:
        raise InvalidInput(f"a mask's rle must cover its box of {across * down} pixels, got {fields.shown(sum(runs))}")
    crop: Mask = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(down, across)
    return placed(crop, x, y, height, width)
