"""COCO instances: one JSON file, written as a stream.

Masks are RLE with `iscrowd` 0: pycocotools reads that, while 1 would make evaluation ignore them. Or polygons,
which cannot hold every mask; how many pixels that loses is counted, not guessed.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np

from core import masks
from core.formats.polygons import outlines_of, rasterised
from core.formats.records import ImageRecord, MaskRecord
from core.masks import Rle

UNLABELLED: Final = "object"


class CocoWriter:
    """Yields a COCO file piece by piece, images first.

    Two passes over the images are needed, as COCO lists images, annotations and categories apart: call
    `images` with the first, `annotations` with the second. Memory holds one image and the label names.
    """

    def __init__(self, *, description: str, polygons: bool = False) -> None:
        self.polygons = polygons
        self.pixels_lost = 0
        self.masks_changed = 0
        self._description = description
        self._categories: dict[str, int] = {}

    def images(self, records: Iterable[ImageRecord]) -> Iterator[str]:
        """Yield the beginning of the file: info and images."""
        info = {"description": self._description, "version": "1.0"}
        yield f'{{"info": {json.dumps(info)},\n"licenses": [],\n"images": ['
        for number, image in enumerate(records):
            entry = {
                "id": image.id,
                "file_name": image.file_name,
                "width": image.width,
                "height": image.height,
            }
            yield (",\n" if number else "\n") + json.dumps(entry)

    def annotations(self, records: Iterable[ImageRecord]) -> Iterator[str]:
        """Yield the rest of the file: annotations and categories."""
        yield '\n],\n"annotations": ['
        first = True
        for image in records:
            for mask in image.masks:
                yield ("\n" if first else ",\n") + json.dumps(self._annotation(image, mask))
                first = False
        names = self._categories or {UNLABELLED: 1}
        categories = [{"id": number, "name": name, "supercategory": ""} for name, number in names.items()]
        yield f'\n],\n"categories": {json.dumps(categories)}}}\n'

    def _annotation(self, image: ImageRecord, mask: MaskRecord) -> dict[str, Any]:
        category = self._categories.setdefault(mask.label or UNLABELLED, len(self._categories) + 1)
        segmentation: Rle | list[list[float]] = mask.rle
        if self.polygons:
            segmentation = self._polygons(mask.rle)
        return {
            "id": mask.id,
            "image_id": image.id,
            "category_id": category,
            "segmentation": segmentation,
            "area": mask.area,
            "bbox": list(mask.bbox),
            "iscrowd": 0,
            "origin": mask.origin,
        }

    def _polygons(self, rle: Rle) -> list[list[float]]:
        mask = masks.decode(rle)
        outlines = outlines_of(mask)
        lost = int(np.count_nonzero(rasterised(outlines, mask.shape[0], mask.shape[1]) ^ mask))
        self.pixels_lost += lost
        self.masks_changed += lost > 0
        return outlines
