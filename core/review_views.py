"""The pictures on which masks are judged: the image, the mask over it, the mask alone, and both from close by.

They are the views of SAM's human study (Kirillov et al., arXiv 2304.02643, appendix G): red over the image, yellow on
purple for the mask alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.masks import Mask
from core.painted import Stroke

Rgb = NDArray[np.uint8]
RED: Final = (230, 30, 40)
YELLOW, PURPLE = (253, 231, 37), (68, 1, 84)
BLUE: Final = (60, 150, 255)
INK: Final = (0, 229, 255)
GREEN, WHITE, DARK = (50, 205, 90), (255, 255, 255), (20, 20, 20)
OPACITY: Final = 0.45
ROOM: Final = 0.35
"""Of the mask's longer side, left free around it from close by."""
LEAST_CLOSE: Final = 64
SMALL_SIDE: Final = 480
CLOSE_SIDE: Final = 900


@dataclass(frozen=True, slots=True)
class Views:
    """Pictures of one mask, RGB, each of its own size."""

    image: Rgb
    over: Rgb
    alone: Rgb
    close: Rgb
    close_over: Rgb


def views(
    image: Rgb,
    mask: Mask,
    neighbours: Sequence[Mask] = (),
    points: Sequence[tuple[float, float, int]] = (),
    lines: Sequence[Sequence[Sequence[float]]] = (),
    strokes: Sequence[Stroke] = (),
) -> Views:
    """Return the views of a mask.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    mask : ndarray of bool, shape (H, W)
    neighbours : sequence of ndarray of bool, shape (H, W)
        Other masks of the image; their outlines are shown in blue.
    points : sequence of (x, y, label)
        The prompts as they were given: green for object, white for background.
    lines : sequence of sequence of (x, y)
        A reviewer's mark-up.
    strokes : sequence of Stroke
        What was painted on it: the ways of the brush green, those of the eraser white, thin.
    """
    x0, y0, x1, y1 = window(mask)
    close, inside = image[y0:y1, x0:x1], mask[y0:y1, x0:x1]
    zoom = CLOSE_SIDE / max(close.shape[:2])
    near = _sized(close, zoom)
    large = _nearest(inside, near.shape[:2])
    over = _painted(near, large)
    for one in neighbours:
        _outline(over, _nearest(one[y0:y1, x0:x1], near.shape[:2]), BLUE, 1)
    _outline(over, large, RED, 2)
    for stroke in strokes:
        corners = ((np.array(stroke.path, np.float64) - (x0, y0)) * zoom).round().astype(np.int32)
        for width, colour in ((5, DARK), (2, WHITE if stroke.erases else GREEN)):
            cv2.polylines(over, [corners], False, colour, width, cv2.LINE_AA)
    for x, y, label in points:
        place = (round((x - x0) * zoom), round((y - y0) * zoom))
        cv2.circle(over, place, 6, DARK, -1, cv2.LINE_AA)
        cv2.circle(over, place, 5, GREEN if label else WHITE, -1, cv2.LINE_AA)
    for line in lines:
        corners = (np.array(line, np.float64) - (x0, y0)) * zoom
        cv2.polylines(over, [corners.round().astype(np.int32)], False, INK, 3, cv2.LINE_AA)
    small = _sized(image, min(1.0, SMALL_SIDE / max(image.shape[:2])))
    little = _nearest(mask, small.shape[:2])
    whole = _painted(small, little)
    _outline(whole, little, RED, 1)
    alone = np.where(little[..., None], np.array(YELLOW, np.uint8), np.array(PURPLE, np.uint8))
    return Views(small, whole, alone, near, over)


def window(mask: Mask) -> tuple[int, int, int, int]:
    """Return what is shown of a mask from close by, as (x0, y0, x1, y1): it and some room; the photo if it is empty."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return 0, 0, width, height
    side = max(LEAST_CLOSE, round((1 + 2 * ROOM) * max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)))
    wide, high = min(side, width), min(side, height)
    x0 = int(min(max(0, (columns[0] + columns[-1] + 1 - wide) // 2), width - wide))
    y0 = int(min(max(0, (rows[0] + rows[-1] + 1 - high) // 2), height - high))
    return x0, y0, x0 + wide, y0 + high


def reaches(bbox: tuple[int, int, int, int], shown: tuple[int, int, int, int]) -> bool:
    """Return whether a box (x, y, width, height) has pixels in a window (x0, y0, x1, y1)."""
    x, y, width, height = bbox
    x0, y0, x1, y1 = shown
    return x < x1 and y < y1 and x + width > x0 and y + height > y0


def _painted(picture: Rgb, mask: Mask) -> Rgb:
    painted = picture.copy()
    blended = (1 - OPACITY) * picture[mask].astype(np.float32) + OPACITY * np.array(RED, np.float32)
    painted[mask] = blended.astype(np.uint8)
    return painted


def _outline(picture: Rgb, mask: Mask, colour: tuple[int, int, int], width: int) -> None:
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, found, -1, colour, width)


def _sized(picture: Rgb, scale: float) -> Rgb:
    height, width = picture.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST if scale > 4 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def _nearest(mask: Mask, size_hw: tuple[int, ...]) -> Mask:
    found = cv2.resize(mask.astype(np.uint8), (size_hw[1], size_hw[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(found > 0)
