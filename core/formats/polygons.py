"""Masks as polygons along the edges of pixels, and back: pycocotools decides which pixels a polygon covers."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco
from scipy.spatial import cKDTree

from core.errors import InvalidInput
from core.formats.fields import finite
from core.masks import MAX_SIDE, Mask, Rle

LONGEST: Final = 2_000_000
"""Pixels round all polygons of a mask: pycocotools walks each, and keeps some hundred bytes of it."""
_MANY: Final = 300


def outlines_of(mask: Mask) -> list[list[float]]:
    """Return the outer outlines of a mask as COCO polygons [x, y, x, y, ...]; holes are lost, nothing else.

    Outlines run along the edges of pixels, as COCO reads them: OpenCV finds them through pixel centres, which
    would take half a pixel off all round. Of a mask at double size, the centres lie beside the edges.

    Examples
    --------
    >>> outlines_of(np.array([[0, 0, 0], [0, 1, 1]], bool))
    [[1.0, 1.0, 1.0, 2.0, 3.0, 2.0, 3.0, 1.0]]
    """
    return [[float(value) for value in corners.reshape(-1)] for corners in _corners(mask, cv2.RETR_EXTERNAL)]


def one_outline_of(mask: Mask) -> list[float]:
    """Return a whole mask, with islands and holes, as one polygon [x, y, x, y, ...]; empty for an empty mask.

    Pieces hang together by bridges without width, gone over there and back, as YOLO's own converter joins them.
    Readers that fill by crossings, as pycocotools and OpenCV do, see no bridge, and a hole where there is one.

    Examples
    --------
    >>> len(one_outline_of(np.array([[1, 0, 1]], bool))) // 2
    10
    """
    pieces = _corners(mask, cv2.RETR_CCOMP)
    if not pieces:
        return []
    path, *others = pieces
    # The nearest corners make the shortest bridges; of a mask of specks nobody sees them.
    tree = cKDTree(path) if len(others) <= _MANY else None
    for piece in others:
        if tree is None:
            at, start = 0, 0
        else:
            distances, places = tree.query(piece)
            start = int(np.argmin(distances))
            at = int(places[start])
        turned = np.roll(piece, -start, axis=0)
        path = np.concatenate([path[: at + 1], turned, turned[:1], path[at:]])
        tree = tree and cKDTree(path)
    return [float(value) for value in path.reshape(-1)]


def _corners(mask: Mask, mode: int) -> list[NDArray[np.int64]]:
    """Return the corners (N, 2) of each outline, x and y; those of holes too where the mode asks for them."""
    doubled = mask.astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    found, _ = cv2.findContours(doubled, mode, cv2.CHAIN_APPROX_SIMPLE)
    outlines = []
    for contour in found:
        corners = (contour.reshape(-1, 2).astype(np.int64) + 1) // 2
        # Where an outline turns inwards, OpenCV takes the corner diagonally: both ends are one edge's end.
        moved = np.any(corners != np.roll(corners, 1, axis=0), axis=1)
        outlines.append(corners[moved])
    return outlines


def rasterised(polygons: list[list[float]], height: int, width: int) -> Mask:
    """Return the mask that pycocotools makes of polygons, shape (height, width)."""
    if not polygons:
        return np.zeros((height, width), bool)
    merged = coco.merge(coco.frPyObjects(polygons, height, width))
    mask: Mask = coco.decode(merged).astype(bool)
    return mask


def merged(polygons: list[list[float]], height: int, width: int) -> Rle:
    """Return the union of checked polygons as runs; no pixels are held meanwhile."""
    if not polygons:
        return empty(height, width)
    rle = coco.merge(coco.frPyObjects(polygons, height, width))
    return {"size": [height, width], "counts": rle["counts"].decode("ascii")}


def empty(height: int, width: int) -> Rle:
    """Return the runs of a mask without pixels."""
    rle = coco.frPyObjects({"size": [height, width], "counts": [height * width]}, height, width)
    return {"size": [height, width], "counts": rle["counts"].decode("ascii")}


def checked(polygon: Any) -> list[float]:
    """Return a polygon from outside, [x, y, x, y, ...], once it can be meant.

    Raises
    ------
    InvalidInput
        If it has fewer than three corners, other values than numbers, or leads far away from any image.
    """
    # pycocotools takes four numbers for a box, and walks an edge pixel by pixel however far out it leads.
    if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
        raise InvalidInput(f"a polygon must be [x, y, ...] of at least three corners, got {str(polygon)[:40]}")
    if not all(finite(value) for value in polygon):
        raise InvalidInput(f"a polygon must be made of numbers, got {str(polygon)[:40]}")
    if not all(-MAX_SIDE <= value <= 2 * MAX_SIDE for value in polygon):
        raise InvalidInput(f"a polygon must lie near its image, got {str(polygon)[:40]}")
    return [float(value) for value in polygon]


def all_checked(polygons: list[Any]) -> list[list[float]]:
    """Return polygons from outside once they can be meant and their outlines are not absurdly long together.

    Raises
    ------
    InvalidInput
        If one cannot be meant, or they are.
    """
    found = [checked(polygon) for polygon in polygons]
    around = sum(_around(polygon) for polygon in found)
    if around > LONGEST:
        raise InvalidInput(f"the polygons of a mask must be at most {LONGEST} pixels round, got {around:.0f}")
    return found


def _around(polygon: list[float]) -> float:
    corners = np.asarray(polygon).reshape(-1, 2)
    return float(np.abs(corners - np.roll(corners, 1, axis=0)).max(axis=1).sum())
