"""Reading COCO instances, LVIS-style files too: polygons, run lengths, compressed run lengths."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import InvalidInput
from core.formats import fields
from core.formats.records import FoundImage, FoundMask, Troubles
from core.formats.segmentations import as_rle


def read(path: Path, troubles: Troubles) -> Iterator[FoundImage]:
    """Yield each image of a COCO file that has masks, or of every COCO file of a folder.

    LVIS names no files but addresses: their last part is the name. Annotations with `iscrowd` are of many objects at
    once and left alone, as are those without a segmentation.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    found = False
    for file in files:
        with troubles.noted():
            read = fields.document(file)
            if not path.is_dir() or _is_coco(read):
                found = True
                yield from _images(file, read, troubles)
    if not found and path.is_dir():
        troubles.add(
            f"a folder of COCO files must have a JSON file with images and annotations, got none in {path.name}"
        )


def _is_coco(read: Any) -> bool:
    return isinstance(read, dict) and all(isinstance(read.get(key), list) for key in ("images", "annotations"))


def _images(file: Path, read: Any, troubles: Troubles) -> Iterator[FoundImage]:
    name = fields.shown(file.name)
    if not _is_coco(read):
        raise InvalidInput(f"{name} must be an object with lists of images and annotations, got {fields.kind(read)}")
    labels = _labels(read.get("categories"), name, troubles)
    images: dict[int | str, tuple[str, tuple[int, int]]] = {}
    masks: dict[int | str, list[FoundMask]] = {}
    for place, image in enumerate(read["images"]):
        with troubles.noted():
            what = f"image {place + 1} of {name}"
            number = fields.identity(fields.keyed(image, what), "id", what)
            if number in images:
                raise InvalidInput(f"each image of {name} must have an id of its own, got {fields.shown(number)} twice")
            images[number] = (_file_name(image, what), fields.size_of(image, what))
    for place, annotation in enumerate(read["annotations"]):
        with troubles.noted():
            what = f"annotation {place + 1} of {name}"
            fields.keyed(annotation, what)
            if "id" in annotation:
                what = f"annotation {fields.shown(annotation['id'])} of {name}"
            if annotation.get("iscrowd"):
                troubles.pass_over("crowd")
                continue
            if not annotation.get("segmentation"):
                troubles.pass_over("annotation without a segmentation")
                continue
            number = fields.identity(annotation, "image_id", what)
            if number not in images:
                raise InvalidInput(
                    f"{what} must belong to an image of the file, but there is no {fields.shown(number)}"
                )
            masks.setdefault(number, []).append(_mask(annotation, labels, what))
    for number, (file_name, size) in images.items():
        if number in masks:
            yield FoundImage(file_name, size, tuple(masks.pop(number)))


def _mask(annotation: dict[str, Any], labels: dict[int | str, str | None], what: str) -> FoundMask:
    category = annotation.get("category_id")
    label = labels.get(category) if isinstance(category, int | str) else None
    score = fields.score_of(annotation, "predicted_iou")
    return FoundMask(
        what,
        partial(as_rle, annotation["segmentation"]),
        label,
        fields.score_of(annotation, "score") if score is None else score,
        fields.score_of(annotation, "stability_score"),
    )


def _labels(categories: Any, name: str, troubles: Troubles) -> dict[int | str, str | None]:
    labels: dict[int | str, str | None] = {}
    for place, category in enumerate(categories if isinstance(categories, list) else []):
        with troubles.noted():
            what = f"category {place + 1} of {name}"
            number = fields.identity(fields.keyed(category, what), "id", what)
            labels[number] = fields.label_of(fields.has(category, "name", what))
    return labels


def _file_name(image: dict[str, Any], what: str) -> str:
    if image.get("file_name") is None and isinstance(image.get("coco_url"), str):
        try:
            return urlsplit(image["coco_url"]).path.rpartition("/")[2] or fields.text(image, "file_name", what)
        except ValueError as error:
            raise InvalidInput(f"{what} must have an address as coco_url, got another") from error
    return fields.text(image, "file_name", what)
