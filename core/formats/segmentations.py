"""Reading the `segmentation` of a COCO or SA-1B annotation: polygons, run lengths, or compressed run lengths."""

from typing import Any

from pycocotools import mask as coco

from core import masks
from core.errors import InvalidInput
from core.formats.fields import shown, whole
from core.formats.polygons import all_checked, merged
from core.masks import Mask, Rle


def as_mask(segmentation: Any, height: int, width: int) -> Mask:
    """Return a segmentation as a mask of shape (height, width); an empty list of polygons is an empty mask.

    Raises
    ------
    InvalidInput
        If it is of another form, of another size, or its runs or polygons cannot be meant.
    """
    return masks.decode(as_rle(segmentation, height, width))


def as_rle(segmentation: Any, height: int, width: int) -> Rle:
    """Return a segmentation as runs of an image of this size; its pixels are not unpacked.

    Raises
    ------
    InvalidInput
        As `as_mask`.
    """
    if isinstance(segmentation, list):
        return merged(all_checked(segmentation), height, width)
    if isinstance(segmentation, dict):
        size, counts = segmentation.get("size"), segmentation.get("counts")
        if not (isinstance(size, list) and all(whole(side) for side in size)):
            raise InvalidInput(f"a mask's size must be [height, width], got {str(size)[:40]}")
        if isinstance(counts, str):
            return masks.check(size, counts, expected_hw=(height, width))
        if isinstance(counts, list):
            return from_runs(size, counts, height, width)
    raise InvalidInput(f"a segmentation must be polygons or run lengths, got {shown(segmentation)}")


def from_runs(size: list[int], counts: list[Any], height: int, width: int) -> Rle:
    """Return run lengths, column by column and beginning with what is not the object, as compressed runs.

    Raises
    ------
    InvalidInput
        If they are not whole numbers that cover an image of this size.
    """
    if size != [height, width]:
        raise InvalidInput(f"the mask must have the image's size {[height, width]}, got {shown(size)}")
    if not all(whole(run) and run >= 0 for run in counts) or sum(counts) != height * width:
        raise InvalidInput(f"the mask's runs must be whole numbers that cover {height * width} pixels, got others")
    rle = coco.frPyObjects({"size": size, "counts": counts}, height, width)
    return {"size": [height, width], "counts": rle["counts"].decode("ascii")}
