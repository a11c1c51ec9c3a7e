"""A photo with its boxes drawn on it, for who reviews them."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from core.privacy.regions import Box, RgbImage

_BRIGHT: Final = (255, 190, 40)
_DARK: Final = (20, 20, 20)


def numbered(pixels: RgbImage, boxes: Sequence[Box], scale: float) -> RgbImage:
    """Return a photo, RGB, shape (H, W, 3), `scale` times as large, its boxes outlined and numbered from 1 on."""
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    shown = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    for number, box in enumerate(boxes, start=1):
        x0, y0, x1, y1 = (round(value * scale) for value in box)
        # Dark below bright: seen on any ground.
        cv2.rectangle(shown, (x0, y0), (x1, y1), _DARK, 4)
        cv2.rectangle(shown, (x0, y0), (x1, y1), _BRIGHT, 2)
        text = str(number)
        (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
        left, bottom = min(max(0, x0), size[0] - wide - 6), max(y0, high + 6)
        cv2.rectangle(shown, (left, bottom - high - 6), (left + wide + 6, bottom), _BRIGHT, -1)
        cv2.putText(shown, text, (left + 3, bottom - 3), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _DARK, 1, cv2.LINE_AA)
    return shown
