"""The readers by the names of their formats."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from core.formats import coco_reader, cvat, label_map, label_studio, labelme, sa1b_reader, voc, yolo
from core.formats.records import FoundImage, Troubles

Reader = Callable[[Path, Troubles], Iterator[FoundImage]]
READERS: Final[dict[str, Reader]] = {
    "coco": coco_reader.read,
    "sa1b": sa1b_reader.read,
    "yolo": yolo.read,
    "label-map": label_map.read,
    "voc": voc.read,
    "labelme": labelme.read,
    "label-studio": label_studio.read,
    "cvat": cvat.read,
}
