"""Making a part of a photo unrecognisable for good."""

import math
from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np

from core.privacy.regions import Box, RgbImage

CELLS: Final = 4
"""Averages along the longer side that are all that is left of a region."""
CELL: Final = 8
"""The least side of such an average, in pixels: a small box gets fewer."""
LEVELS: Final = 16
"""Steps to which these averages are rounded: plates are read from less coarse ones by trying all."""
SOLID: Final = 0.12
"""Of a box's longer side, added on each side: detectors find the middle of a face."""
FEATHER: Final = 0.08
"""Of a box's longer side: the rim around that over which blurred goes over into sharp."""


def blurred(pixels: RgbImage, boxes: Iterable[Box]) -> RgbImage:
    """Return a copy of a photo, RGB, shape (H, W, 3), in which nothing in the boxes can be recognised.

    A box with its margin becomes at most 4 x 4 averages, rounded to 16 steps and drawn into each other: the pixels are
    gone, not disguised. What is `reach` of a box away stays as it is. Boxes may lie partly or wholly outside. The
    order of the boxes makes no difference.
    """
    made = pixels.copy()
    for box in sorted(boxes):
        outer = _clipped(reach(box), pixels.shape)
        if outer is not None:
            x0, y0, x1, y1 = outer
            weight = _weight(outer, box)[..., None]
            here = made[y0:y1, x0:x1]
            made[y0:y1, x0:x1] = np.round(_averages(pixels[y0:y1, x0:x1]) * weight + here * (1 - weight))
    return made


def reach(box: Box) -> Box:
    """Return how far the blur of a box goes."""
    return _grown(box, SOLID + FEATHER)


def _grown(box: Box, share: float) -> Box:
    x0, y0, x1, y1 = box
    margin = share * max(x1 - x0, y1 - y0)
    return x0 - margin, y0 - margin, x1 + margin, y1 + margin


def _clipped(box: Box, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """Return the whole pixels that a box touches, None if there are none."""
    x0, y0 = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
    x1, y1 = min(shape[1], math.ceil(box[2])), min(shape[0], math.ceil(box[3]))
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _averages(part: RgbImage) -> np.ndarray:
    """Return a part of a photo as a few averages that go over into each other, float."""
    height, width = part.shape[:2]
    cell = max(CELL, max(height, width) / CELLS)
    size = (max(1, round(width / cell)), max(1, round(height / cell)))
    step = 256 / LEVELS
    few = np.floor(cv2.resize(part, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], 3) / step)
    return np.asarray(
        cv2.resize((few * step + step / 2).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    )


def _weight(outer: tuple[int, int, int, int], box: Box) -> np.ndarray:
    """Return how much of the blur is seen at each pixel: all in the box and its margin, less over the rim."""
    solid = _grown(box, SOLID)
    rim = max(1e-6, FEATHER * max(box[2] - box[0], box[3] - box[1]))

    def along(start: int, end: int, low: float, high: float) -> np.ndarray:
        # From a pixel's nearer side: one that the box touches at all is blurred wholly.
        places = np.arange(start, end)
        outside = np.maximum(np.maximum(low - (places + 1), places - high), 0)
        return np.asarray(np.clip(1 - outside / rim, 0, 1))

    x0, y0, x1, y1 = outer
    across, down = along(x0, x1, solid[0], solid[2]), along(y0, y1, solid[1], solid[3])
    return np.asarray(np.minimum(across[None, :], down[:, None]))
