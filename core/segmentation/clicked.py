"""What was clicked and boxed is certain, whatever a segmenter makes of the rest."""

import math
from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np

from core.segmentation.protocol import Mask, Point, Prompt

GRAIN: Final = 384
"""A click counts for about one dot of a photo reduced to this side."""


def clicked_parts(mask: Mask, places: Iterable[tuple[float, float]]) -> Mask:
    """Return the connected parts of a mask that hold one of the places (column, row); all of it if none does."""
    _, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    chosen = {int(parts[int(row), int(column)]) for column, row in places} - {0}
    return np.isin(parts, list(chosen)) if chosen else mask


def pinned(mask: Mask, prompt: Prompt) -> Mask:
    """Return a full-size mask that holds every foreground click, no background click and nothing outside the box.

    The filter follows the photo's edges and may pass by a click or the box; both are certain. A box that has a
    foreground click outside it is not taken so strictly.
    """
    height, width = mask.shape
    pixels = mask.astype(np.uint8)
    places = [(min(int(point.x), width - 1), min(int(point.y), height - 1), point.label) for point in prompt.points]
    radius = max(1, round(max(height, width) / GRAIN / 2))
    for x, y, label in places:
        cv2.circle(pixels, (x, y), radius, label, -1)
    for x, y, label in places:
        pixels[y, x] = label
    if prompt.box is not None and all(_in_box(point, prompt.box) for point in prompt.points if point.label == 1):
        x0, y0, x1, y1 = prompt.box
        inside = np.zeros_like(pixels)
        inside[math.floor(y0) : math.ceil(y1), math.floor(x0) : math.ceil(x1)] = 1
        pixels &= inside
    return pixels > 0


def _in_box(point: Point, box: tuple[float, float, float, float]) -> bool:
    return box[0] <= point.x <= box[2] and box[1] <= point.y <= box[3]
