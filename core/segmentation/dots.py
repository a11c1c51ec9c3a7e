"""Logits as dots over a part of a photo: moved to another part, padded to a square, reduced to a thumbnail."""

import math
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.protocol import Logits, Mask, coarse_size
from core.segmentation.windows import Window

NOTHING: Final = -8.0
"""Where nothing is known."""


def padded(logits: Logits, side: int) -> Logits:
    """Return the logits of a photo's part as those of the square in which a network sees it."""
    square = np.full((side, side), NOTHING, np.float32)
    square[: logits.shape[0], : logits.shape[1]] = logits
    return square


def moved(square: Logits, window: Window, to: Window, side: int) -> Logits:
    """Return padded logits of one window as padded logits of another, of so many dots a side."""
    if window == to and square.shape[0] == side:
        return square
    before, after = _longer(window) / square.shape[0], _longer(to) / side
    return _resampled(
        square, (before, before), (window.x0, window.y0), (1 / after, 1 / after), (to.x0, to.y0), (side, side)
    )


def boxed(logits: Logits, window: Window, box: tuple[float, float, float, float]) -> Logits:
    """Return logits halfway between what they say and that all of a box, and nothing else, is object."""
    inside = np.zeros(logits.shape, np.float32)
    (x0, y0), (x1, y1) = (window.to_cut(x, y, logits.shape) for x, y in (box[:2], box[2:]))
    inside[int(y0) : math.ceil(y1), int(x0) : math.ceil(x1)] = 1
    return logits_of((likelihood_of(logits) + inside) / 2 * inside)


def likelihood_of(logits: Logits) -> Logits:
    """Return how likely each dot is object, 0 to 1."""
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def logits_of(likely: NDArray[Any]) -> Logits:
    """Return the logits of likelihoods, within -8 and 8."""
    return np.asarray(
        np.clip(np.log(np.maximum(likely, 1e-9) / np.maximum(1 - likely, 1e-9)), NOTHING, -NOTHING), np.float32
    )


def coarse_mask(logits: Logits, window: Window, size_hw: tuple[int, int]) -> Mask:
    """Return the mask of a window's logits over the whole photo, at a small size."""
    rows, columns = coarse_size(size_hw)
    scale = (columns / size_hw[1], rows / size_hw[0])
    grain = ((window.x1 - window.x0) / logits.shape[1], (window.y1 - window.y0) / logits.shape[0])
    return _resampled(logits, grain, (window.x0, window.y0), scale, (0.0, 0.0), (rows, columns)) > 0


def _longer(window: Window) -> int:
    return max(window.x1 - window.x0, window.y1 - window.y0)


def _resampled(
    logits: Logits,
    grain: tuple[float, float],
    corner: tuple[float, float],
    scale: tuple[float, float],
    origin: tuple[float, float],
    shape: tuple[int, int],
) -> Logits:
    """Return logits that have `grain` photo pixels a dot and begin at `corner`, at `scale` dots a pixel from `origin`.

    Dots stand for their middles. Where nothing is known there is nothing.
    """
    matrix = np.zeros((2, 3))
    for axis in range(2):
        matrix[axis, axis] = grain[axis] * scale[axis]
        matrix[axis, 2] = (corner[axis] - origin[axis] + 0.5 * grain[axis]) * scale[axis] - 0.5
    moved = cv2.warpAffine(
        logits,
        matrix,
        (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=NOTHING,
    )
    return np.asarray(moved, np.float32)
