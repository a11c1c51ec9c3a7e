"""Masks drawn by hand and by numbers, and what the checks say of them."""

import cv2
import numpy as np

from core import masks
from core.quality.checks import ExistingMask, Flag, Limits, Prediction, validate_mask

ALL = Limits(min_area=0)


def drawn(*rows: str) -> np.ndarray:
    """Return a mask drawn with # and dots."""
    return np.array([[char == "#" for char in row] for row in rows])


def blank(height: int = 400, width: int = 600) -> np.ndarray:
    return np.zeros((height, width), np.uint8)


def disk(radius: int = 90, x: int = 300, y: int = 200) -> np.ndarray:
    return cv2.circle(blank(), (x, y), radius, 1, -1) > 0


def block(x: int, y: int, width: int, height: int) -> np.ndarray:
    mask = blank() > 0
    mask[y : y + height, x : x + width] = True
    return mask


def turned(angle: float, size: tuple[int, int] = (260, 120)) -> np.ndarray:
    """Return a rectangle turned by an angle in degrees."""
    corners = cv2.boxPoints(((300, 200), size, angle)).astype(np.int32)
    return cv2.fillPoly(blank(), [corners], 1) > 0


def existing(*others: np.ndarray) -> list[ExistingMask]:
    """Return masks as being on the image, with the ids 1, 2, ..."""
    return [ExistingMask(number, masks.encode(other)) for number, other in enumerate(others, start=1)]


def reported(
    mask: np.ndarray, *others: np.ndarray, limits: Limits = ALL, prediction: Prediction | None = None
) -> dict[str, Flag]:
    """Return what all checks say, by name."""
    report = validate_mask(mask, existing(*others), limits=limits, prediction=prediction)
    return {flag.name: flag for flag in report.flags}
