"""Pascal VOC: two palette PNGs an image, one numbered by object and one by class. 255 is a border that is neither.

Eight bits hold 254 objects. Where masks overlap, the smaller lies on top. No border is drawn on export: it would take
pixels from the objects.
"""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np
from PIL import Image

from core.errors import InvalidInput
from core.formats import fields
from core.formats.label_map import painted
from core.formats.pictures import ROWS, LabelMap
from core.formats.records import FoundImage, FoundMask, ImageRecord, Troubles

OBJECTS: Final = "SegmentationObject"
CLASSES: Final = "SegmentationClass"
LABELS: Final = "labelmap.txt"
BORDER: Final = 255
MOST: Final = 254
UNLABELLED: Final = "object"
VOC_CLASSES: Final = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
    "pottedplant sheep sofa train tvmonitor"
).split()


def palette() -> list[int]:
    """Return VOC's 256 colours, red, green, blue of each: the bits of a number, spread over the three.

    Examples
    --------
    >>> palette()[3:9], palette()[-3:]
    ([128, 0, 0, 0, 128, 0], [224, 224, 192])
    """
    colours = []
    for number in range(256):
        rgb = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                rgb[channel] |= ((number >> channel) & 1) << (7 - bit)
            number >>= 3
        colours += rgb
    return colours


class Writer:
    """Writes the folders of a VOC data set; classes are numbered as their labels come up."""

    images = "JPEGImages"

    def __init__(self, folder: Path) -> None:
        self.labels_lost = 0
        self._folder = folder
        self._classes = {"background": 0}
        for name in (OBJECTS, CLASSES, "ImageSets/Segmentation"):
            (folder / name).mkdir(parents=True)
        self._list = (folder / "ImageSets" / "Segmentation" / "trainval.txt").open("w", encoding="utf-8")

    def add(self, image: ImageRecord) -> None:
        """Write an image's two maps."""
        stem = Path(image.file_name).stem
        objects = painted(image, MOST)
        numbers = [0]
        for mask in image.masks[:MOST]:
            label = _plain(mask.label) or UNLABELLED
            if label not in self._classes and len(self._classes) >= MOST:
                label = UNLABELLED  # the last number is kept for it
                self.labels_lost += 1
            numbers.append(self._classes.setdefault(label, len(self._classes)))
        _save(objects.astype(np.uint8), self._folder / OBJECTS / f"{stem}.png")
        _save(np.asarray(numbers, np.uint8)[objects], self._folder / CLASSES / f"{stem}.png")
        self._list.write(stem + "\n")

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._list.close()
        colours = palette()
        lines = [
            f"{name}:{','.join(str(value) for value in colours[3 * number : 3 * number + 3])}::\n"
            for name, number in self._classes.items()
        ]
        (self._folder / LABELS).write_text("# label:color_rgb:parts:actions\n" + "".join(lines), encoding="utf-8")


def _plain(label: str | None) -> str:
    return " ".join(re.sub(r"[:#]", " ", label or "").split())


def _save(pixels: np.ndarray, path: Path) -> None:
    image = Image.fromarray(pixels)
    image.putpalette(palette())
    image.save(path)


def read(path: Path, troubles: Troubles) -> Iterator[FoundImage]:
    """Yield the image of each map in `SegmentationObject`; its class is the most frequent of `SegmentationClass`.

    Classes are called as `labelmap.txt` (by colour) or `class_names.txt` (by line) says, else as VOC's own are.
    Classes alone, without objects, are not read: nothing would tell two objects of a class apart.
    """
    folder = path.parent if path.name == OBJECTS else path
    files = sorted((folder / OBJECTS).glob("*.png")) if (folder / OBJECTS).is_dir() else []
    if not files:
        troubles.add(f"a VOC data set must have PNG files in {OBJECTS}, got none in {fields.shown(path.name)}")
        return
    names, colours = VOC_CLASSES, _by_colour()
    with troubles.noted():
        names = _names(folder)
    for file in files:
        with troubles.noted():
            name = f"{OBJECTS}/{fields.shown(file.name)}"
            objects = LabelMap.of(file, name, colours)
            classes = None
            with troubles.noted():
                if (folder / CLASSES / file.name).is_file():
                    classes = LabelMap.of(folder / CLASSES / file.name, f"{CLASSES}/{file.stem[:60]}", colours)
                    if classes.size_hw != objects.size_hw:
                        raise InvalidInput(f"{classes.name} must have the size of {name}, got another")
            of_number = _classes_of(objects, classes, troubles)
            yield FoundImage(
                file.stem,
                objects.size_hw,
                tuple(
                    FoundMask(
                        f"object {number} of {name}",
                        partial(objects.drawn, number),
                        fields.label_of(names[of_number[number]]) if of_number.get(number, 256) < len(names) else None,
                        number=number,
                    )
                    for number in objects.numbers(without=(0, BORDER))
                ),
            )


def _classes_of(objects: LabelMap, classes: LabelMap | None, troubles: Troubles) -> dict[int, int]:
    """Return the most frequent class of each object, the border and what lies beside all classes left out."""
    if classes is None:
        return {}
    with troubles.noted():
        numbers, kinds = objects.pixels(), classes.pixels()
        if min(numbers.min(), kinds.min()) < 0 or max(numbers.max(), kinds.max()) > BORDER:
            raise InvalidInput(f"{classes.name} must have numbers of 0 to {BORDER}, got another")
        seen = np.zeros((256, 256), np.int64)
        for start in range(0, len(numbers), ROWS):
            part = numbers[start : start + ROWS].astype(np.int64) * 256 + kinds[start : start + ROWS]
            seen += np.bincount(part.ravel(), minlength=1 << 16).reshape(256, 256)
        seen[:, [0, BORDER]] = 0
        return {int(number): int(seen[number].argmax()) for number in np.flatnonzero(seen.any(axis=1))}
    return {}


def _by_colour() -> dict[tuple[int, int, int], int]:
    colours = palette()
    return {(colours[at], colours[at + 1], colours[at + 2]): at // 3 for at in range(0, 768, 3)}


def _names(folder: Path) -> list[str]:
    """Return the names of classes in order of their numbers."""
    if (folder / LABELS).is_file():
        text = fields.content(folder / LABELS, 1 << 20).decode("utf-8", "replace")
        by_colour = _by_colour()
        names = [""] * 256
        for line in text.splitlines():
            label, _, rest = line.partition(":")
            rgb = tuple(int(value) for value in re.findall(r"\d{1,3}", rest.partition(":")[0]))
            if not line.startswith("#") and len(rgb) == 3 and rgb in by_colour:
                names[by_colour[rgb]] = label.strip()
        return names
    if (folder / "class_names.txt").is_file():
        names = fields.content(folder / "class_names.txt", 1 << 20).decode("utf-8", "replace").splitlines()
        return [name for name in names if name != "__ignore__"]
    return list(VOC_CLASSES)
