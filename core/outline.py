"""Outlines drawn by hand: from closed paths to a mask, with no model's help."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from core.errors import InvalidInput

FloatArray = NDArray[np.float64]

_ORIGIN: Final[dict[str, float]] = {"left": 0.5, "top": 0.5, "center": 0.0, "right": -0.5, "bottom": -0.5}


def paths_of_drawing(drawing: Mapping[str, Any] | None) -> list[FloatArray]:
    """Return the closed paths of a Fabric.js drawing, moved, scaled and turned as they are shown.

    Parameters
    ----------
    drawing : mapping or None
        What streamlit-drawable-canvas returns as `json_data`.

    Returns
    -------
    list of ndarray of float64, shape (N, 2)
        Corners (x, y) in canvas pixels; paths of fewer than three corners are left out.
    """
    paths = []
    for shape in (drawing or {}).get("objects", []):
        corners = [[corner["x"], corner["y"]] for corner in shape.get("points") or []]
        if len(corners) >= 3:
            paths.append(_as_shown(np.asarray(corners, np.float64), shape))
    return paths


def boxes_of_drawing(drawing: Mapping[str, Any] | None, *, scale: float) -> list[tuple[float, float, float, float]]:
    """Return the rectangles of a Fabric.js drawing as boxes (x0, y0, x1, y1) of the photo; one that was turned, whole.

    Parameters
    ----------
    drawing : mapping or None
        What streamlit-drawable-canvas returns as `json_data`.
    scale : float
        Canvas pixels per pixel of the photo.

    Examples
    --------
    >>> rectangle = {"type": "Rect", "left": 10, "top": 20, "width": 30, "height": 40, "scaleX": 2}
    >>> boxes_of_drawing({"objects": [rectangle, {"type": "Path"}]}, scale=0.5)
    [(20.0, 40.0, 140.0, 120.0)]
    """
    boxes = []
    for shape in (drawing or {}).get("objects", []):
        if str(shape.get("type", "")).lower() == "rect":
            wide, high = float(shape.get("width", 0.0)), float(shape.get("height", 0.0))
            corners = _as_shown(np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float64), shape) / scale
            (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
            boxes.append((x0, y0, x1, y1))
    return boxes


def _as_shown(corners: FloatArray, shape: Mapping[str, Any]) -> FloatArray:
    """Apply the shape's place, scale and angle: Fabric keeps corners as they were first drawn."""
    scale = np.array([shape.get("scaleX", 1.0), shape.get("scaleY", 1.0)], np.float64)
    flip = np.array([-1.0 if shape.get(key) else 1.0 for key in ("flipX", "flipY")])
    stroke = float(shape.get("strokeWidth", 0.0))
    size = (np.array([shape.get("width", 0.0), shape.get("height", 0.0)], np.float64) + stroke) * scale
    to_centre = np.array(
        [_ORIGIN.get(shape.get("originX", "left"), 0.5), _ORIGIN.get(shape.get("originY", "top"), 0.5)]
    )
    angle = math.radians(float(shape.get("angle", 0.0)))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    place = np.array([shape.get("left", 0.0), shape.get("top", 0.0)], np.float64)
    centre = place + turn @ (to_centre * size)
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    shown: FloatArray = ((corners - middle) * scale * flip) @ turn.T + centre
    return shown


def mask_of_paths(paths: Sequence[FloatArray], *, shape_hw: tuple[int, int], scale: float) -> NDArray[np.bool_]:
    """Return the pixels whose centres lie inside any of the paths.

    Parameters
    ----------
    paths : sequence of ndarray of float, shape (N, 2)
        Corners (x, y) in canvas pixels, origin at the top-left corner of the top-left pixel.
    shape_hw : tuple of int
        Height and width of the working image.
    scale : float
        Canvas pixels per working-image pixel.

    Raises
    ------
    InvalidInput
        If there is no path, or a corner is not finite.

    Examples
    --------
    >>> square = np.array([[1, 1], [3, 1], [3, 3], [1, 3]], float)
    >>> mask_of_paths([square], shape_hw=(4, 4), scale=1.0).astype(int).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    if not paths:
        raise InvalidInput("an outline must have at least one closed path of three corners, got none")
    mask = np.zeros(shape_hw, bool)
    for corners in paths:
        if not np.isfinite(corners).all():
            raise InvalidInput("the corners of an outline must be finite numbers")
        # A pixel's centre lies half a pixel from its corner, where our coordinates start.
        rows_columns = corners[:, ::-1] / scale - 0.5
        mask |= polygon2mask(shape_hw, rows_columns)
    return mask
