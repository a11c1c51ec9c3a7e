"""Masks without the specks that no one means: tiny islands and tiny holes."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.protocol import Mask

SPECK: Final = 100
"""Islands and holes below so many pixels go, as in SA-1B (Kirillov et al., arXiv 2304.02643, appendix B)."""


def without_specks(mask: Mask) -> Mask:
    """Return a mask of shape (H, W) without islands and holes of less than 100 pixels; its largest part stays.

    Examples
    --------
    >>> ring = np.ones((5, 5), bool)
    >>> ring[2, 2] = False
    >>> bool(without_specks(ring).all())
    True
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return mask
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    crop = np.pad(mask[box].astype(np.uint8), 1)
    crop[_parts_below(1 - crop, connectivity=4)] = 1
    crop[_parts_below(crop, connectivity=8)] = 0
    cleaned = np.zeros_like(mask)
    cleaned[box] = crop[1:-1, 1:-1] > 0
    return cleaned


def _parts_below(pixels: NDArray[np.uint8], connectivity: int) -> Mask:
    """Return the pixels of connected parts that are too small, but for the largest part."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(pixels, connectivity=connectivity)
    areas = stats[:, cv2.CC_STAT_AREA]
    small = areas < SPECK
    small[0] = False
    if count > 1:
        small[1 + int(areas[1:].argmax())] = False
    found: Mask = small[labels]
    return found
