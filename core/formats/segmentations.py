"""Reading the `segmentation` of a COCO or SA-1B annotation: polygons, run lengths, or compressed run lengths."""

import math
from typing import Any

import numpy as np

from core import masks
from core.errors import InvalidInput
from core.formats.coco import rasterised
from core.masks import MAX_SIDE, Mask


def as_mask(segmentation: Any, height: int, width: int) -> Mask:
    """Return a segmentation as a mask of shape (height, width); an empty list of polygons is an empty mask.

    Raises
    ------
    InvalidInput
        If it is of another form, of another size, or its runs or polygons cannot be meant.
    """
    if isinstance(segmentation, list):
        return rasterised([_polygon(polygon) for polygon in segmentation], height, width)
    if isinstance(segmentation, dict):
        size, counts = segmentation.get("size"), segmentation.get("counts")
        if not (isinstance(size, list) and all(isinstance(side, int) for side in size)):
            raise InvalidInput(f"a mask's size must be [height, width], got {str(size)[:40]}")
        if isinstance(counts, str):
            return masks.decode(masks.check(size, counts, expected_hw=(height, width)))
        if isinstance(counts, list):
            return _from_runs(size, counts, height, width)
    raise InvalidInput(f"a segmentation must be polygons or run lengths, got {str(segmentation)[:40]}")


def _from_runs(size: list[int], counts: list[Any], height: int, width: int) -> Mask:
    if size != [height, width]:
        raise InvalidInput(f"the mask must have the image's size {[height, width]}, got {size}")
    if not all(isinstance(run, int) and run >= 0 for run in counts) or sum(counts) != height * width:
        raise InvalidInput(f"the mask's runs must be whole numbers that cover {height * width} pixels, got others")
    mask: Mask = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape((height, width), order="F")
    return mask


def _polygon(polygon: Any) -> list[float]:
    # pycocotools takes four numbers for a box, and walks an edge pixel by pixel however far out it leads.
    if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
        raise InvalidInput(f"a polygon must be [x, y, ...] of at least three corners, got {str(polygon)[:40]}")
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in polygon):
        raise InvalidInput(f"a polygon must be made of numbers, got {str(polygon)[:40]}")
    if not all(-MAX_SIDE <= value <= 2 * MAX_SIDE for value in polygon):
        raise InvalidInput(f"a polygon must lie near its image, got {str(polygon)[:40]}")
    return [float(value) for value in polygon]
