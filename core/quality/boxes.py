"""Boxes, and pieces of masks cut out along them: what most checks work on."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""x, y, width, height."""
Crop = NDArray[np.uint8]
"""Ones and zeros, shape (height, width)."""


def grown(box: Box, by: int) -> Box:
    """Return a box with so many pixels more on each side."""
    return box[0] - by, box[1] - by, box[2] + 2 * by, box[3] + 2 * by


def common(one: Box, other: Box) -> Box | None:
    """Return the box that two boxes share, None if there is none.

    Examples
    --------
    >>> common((0, 0, 4, 4), (2, 3, 4, 4))
    (2, 3, 2, 1)
    """
    x, y = max(one[0], other[0]), max(one[1], other[1])
    width = min(one[0] + one[2], other[0] + other[2]) - x
    height = min(one[1] + one[3], other[1] + other[3]) - y
    return (x, y, width, height) if width > 0 and height > 0 else None


def bounds(crop: Crop) -> Box:
    """Return the box around a crop's ones; all zero where there are none."""
    x, y, width, height = cv2.boundingRect(crop)
    return x, y, width, height


def dilated(crop: Crop, kernel: Crop) -> Crop:
    """Return a crop grown by a kernel with an odd number of rows and columns."""
    larger: Any = cv2.dilate(crop, kernel)
    return np.asarray(larger, np.uint8)


def eroded(crop: Crop, kernel: Crop) -> Crop:
    """Return a crop thinned by a kernel."""
    thinner: Any = cv2.erode(crop, kernel)
    return np.asarray(thinner, np.uint8)
