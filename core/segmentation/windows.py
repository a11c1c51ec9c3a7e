"""Rectangles of a photo that are cut at a small size of their own."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Kind = TypeVar("Kind", bound=Any)
MOST_MAGNIFIED: Final = 4.0


@dataclass(frozen=True, slots=True)
class Window:
    """Columns x0 to x1 and rows y0 to y1 (excluded) of a picture."""

    x0: int
    y0: int
    x1: int
    y1: int

    def cut_shape(self, pixels: int) -> tuple[int, int]:
        """Return the rows and columns at which the window is cut: its aspect, about so many pixels.

        A tiny window is magnified four times at most: more would cost time and show nothing.
        """
        width, height = self.x1 - self.x0, self.y1 - self.y0
        scale = min(MOST_MAGNIFIED, math.sqrt(pixels / (width * height)))
        return max(2, round(height * scale)), max(2, round(width * scale))

    def crop(self, picture: NDArray[Kind]) -> NDArray[Kind]:
        """Return the window's pixels as they are, a view."""
        return picture[self.y0 : self.y1, self.x0 : self.x1]

    def sample(self, picture: Pixels, shape: tuple[int, int]) -> Pixels:
        """Return the window's pixels at so many rows and columns."""
        rows, columns = shape
        crop = self.crop(picture)
        how = cv2.INTER_AREA if rows < crop.shape[0] else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(crop, (columns, rows), interpolation=how), np.uint8)

    def to_cut(self, x: float, y: float, shape: Sequence[int]) -> tuple[float, float]:
        """Return where (x, y) of the picture lies in a cut of this shape, kept inside it."""
        column = (x - self.x0) * shape[1] / (self.x1 - self.x0)
        row = (y - self.y0) * shape[0] / (self.y1 - self.y0)
        return min(max(column, 0.0), shape[1] - 1e-3), min(max(row, 0.0), shape[0] - 1e-3)

    def share_cut_off(self, mask: NDArray[np.bool_], size_hw: tuple[int, int]) -> float:
        """Return the share of the window's sides within a picture of this size that a mask of it reaches."""
        rows, columns = size_hw
        sides = [
            (self.x0 > 0, mask[:, 0]),
            (self.y0 > 0, mask[0]),
            (self.x1 < columns, mask[:, -1]),
            (self.y1 < rows, mask[-1]),
        ]
        inner = [side for within, side in sides if within]
        return float(np.concatenate(inner).mean()) if inner else 0.0


def whole(size_hw: tuple[int, int]) -> Window:
    """Return the window of a whole picture."""
    return Window(0, 0, size_hw[1], size_hw[0])


def around(points: Sequence[tuple[float, float]], side: float, size_hw: tuple[int, int]) -> Window:
    """Return a square of at least `side` around all points, moved and cut to lie in the picture."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    reach_x = max(side, (max(xs) - min(xs)) * 1.5)
    reach_y = max(side, (max(ys) - min(ys)) * 1.5)
    return _placed((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, reach_x, reach_y, size_hw)


def expanded(box: Sequence[float], factor: float, size_hw: tuple[int, int], least: float) -> Window:
    """Return a box made `factor` times as large, at least `least` a side, cut to the picture."""
    x0, y0, x1, y1 = (float(value) for value in box)
    width, height = max(least, (x1 - x0) * factor), max(least, (y1 - y0) * factor)
    return _placed((x0 + x1) / 2, (y0 + y1) / 2, width, height, size_hw)


def _placed(x: float, y: float, width: float, height: float, size_hw: tuple[int, int]) -> Window:
    rows, columns = size_hw
    wide, high = min(columns, max(2, round(width))), min(rows, max(2, round(height)))
    x0 = int(min(max(0, round(x - wide / 2)), columns - wide))
    y0 = int(min(max(0, round(y - high / 2)), rows - high))
    return Window(x0, y0, x0 + wide, y0 + high)
