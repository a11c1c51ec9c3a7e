"""Label Studio: one JSON file of tasks, brush labels as its own packed run lengths."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from core import masks
from core.errors import InvalidInput
from core.formats import fields
from core.formats.brush import packed, unpacked
from core.formats.records import FoundImage, FoundMask, ImageRecord, MaskRecord, Troubles
from core.masks import Rle

TASKS: Final = "tasks.json"
CONFIG: Final = "labeling-config.xml"
UNLABELLED: Final = "object"
_UPLOADED: Final = re.compile(r"[0-9a-f]{8}-(.+)")
"""What Label Studio makes of an uploaded file's name."""


class Writer:
    """Writes `tasks.json` as a stream, a task a line. Masks are predictions: an annotator takes them over or not."""

    images = "images"

    def __init__(self, folder: Path) -> None:
        self._file = (folder / TASKS).open("w", encoding="utf-8")
        self._file.write("[")
        self._folder = folder
        self._labels: dict[str, None] = {}
        self._first = True

    def add(self, image: ImageRecord) -> None:
        """Write an image's task."""
        task = {
            "data": {"image": f"/data/local-files/?d=images/{image.file_name}"},
            "predictions": [
                {
                    "model_version": "masksmith",
                    "result": [self._region(image, mask) for mask in image.masks if mask.area],
                }
            ],
        }
        self._file.write(("\n" if self._first else ",\n") + json.dumps(task))
        self._first = False

    def _region(self, image: ImageRecord, mask: MaskRecord) -> dict[str, Any]:
        label = mask.label or UNLABELLED
        self._labels[label] = None
        region: dict[str, Any] = {
            "id": f"mask-{mask.id}",
            "type": "brushlabels",
            "from_name": "tag",
            "to_name": "image",
            "original_width": image.width,
            "original_height": image.height,
            "image_rotation": 0,
            "value": {"format": "rle", "rle": packed(masks.decode(mask.rle)), "brushlabels": [label]},
        }
        if mask.predicted_iou is not None:
            region["score"] = mask.predicted_iou
        return region

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.write("\n]\n")
        self._file.close()
        labels = "".join(f'    <Label value="{_escaped(label)}"/>\n' for label in self._labels or {UNLABELLED: None})
        text = (
            '<View>\n  <Image name="image" value="$image" zoom="true"/>\n'
            f'  <BrushLabels name="tag" toName="image">\n{labels}  </BrushLabels>\n</View>\n'
        )
        (self._folder / CONFIG).write_text(text, encoding="utf-8")


def _escaped(label: str) -> str:
    return label.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def read(path: Path, troubles: Troubles) -> Iterator[FoundImage]:
    """Yield the image of each task of a file, or of each JSON file of a folder.

    Of several annotations of a task the last that was not cancelled is read; without any, the last prediction.
    Regions other than brushes are counted.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        troubles.add(f"a folder of Label Studio files must have JSON files, got none in {fields.shown(path.name)}")
    for file in files:
        with troubles.noted():
            for place, task in enumerate(fields.items(file), start=1):
                with troubles.noted():
                    where = f"task {place} of {fields.shown(file.name)}"
                    yield from _images(fields.keyed(task, where), where, troubles)


def _images(task: dict[str, Any], where: str, troubles: Troubles) -> Iterator[FoundImage]:
    name, others = _names(fields.has(task, "data", where), where)
    size: tuple[int, int] | None = None
    found: list[FoundMask] = []
    for place, region in enumerate(_result(task, where, troubles), start=1):
        with troubles.noted():
            which = f"region {place} of {where}"
            value = fields.keyed(region, which).get("value")
            if region.get("type") not in ("brushlabels", "brush") or not isinstance(value, dict) or "rle" not in value:
                troubles.pass_over(fields.shown(region.get("type") or "region"))
                continue
            drawn_at = fields.size_of(region, which, "original_height", "original_width")
            if region.get("image_rotation"):
                raise InvalidInput(f"{which} must be on an image that is not turned, got image_rotation")
            if size not in (None, drawn_at):
                raise InvalidInput(f"{which} must have the size of the task's other regions, got another")
            size = drawn_at
            labels = value.get("brushlabels")
            label = fields.label_of(labels[0]) if isinstance(labels, list) and labels else None
            found.append(FoundMask(which, partial(_drawn, value["rle"]), label, fields.score_of(region, "score")))
    if size is not None:
        yield FoundImage(name, size, tuple(found), others)


def _drawn(stream: Any, height: int, width: int) -> Rle:
    return masks.encode(unpacked(stream, height, width))


def _result(task: dict[str, Any], where: str, troubles: Troubles) -> list[Any]:
    for key in ("annotations", "completions", "predictions"):
        several = task.get(key) or []
        if not isinstance(several, list) or not all(isinstance(one, dict) for one in several):
            raise InvalidInput(f"{where} must have a list of objects as {key}, got {fields.shown(several)}")
        valid = [one for one in several if not one.get("was_cancelled")]
        if valid:
            troubles.pass_over(f"further {key}", len(valid) - 1)
            result = valid[-1].get("result")
            if not isinstance(result, list):
                raise InvalidInput(f"{where} must have a list as result, got {fields.shown(result)}")
            return result
    return []


def _names(data: Any, where: str) -> tuple[str, tuple[str, ...]]:
    texts = [value for value in fields.keyed(data, where).values() if isinstance(value, str)]
    address = data["image"] if isinstance(data.get("image"), str) else texts[0] if texts else None
    if not address:
        raise InvalidInput(f"{where} must have an image's address in data, but has none")
    try:
        parts = urlsplit(address)
        path = (parse_qs(parts.query).get("d") or [unquote(parts.path)])[0]
    except ValueError as error:
        raise InvalidInput(f"{where} must have an image's address in data, got {fields.shown(address)}") from error
    name = fields.last_part(path)
    uploaded = _UPLOADED.fullmatch(name)
    return name, (uploaded[1],) if uploaded else ()
