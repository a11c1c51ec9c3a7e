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
    crop: NDArray[np.uint8] = np.pad(mask[box].astype(np.uint8), 1)
    _fill_small(1 - crop, crop, 1, connectivity=4)
    _fill_small(crop.copy(), crop, 0, connectivity=8)
    cleaned = np.zeros_like(mask)
    cleaned[box] = crop[1:-1, 1:-1] > 0
    return cleaned


def _fill_small(parts: NDArray[np.uint8], pixels: NDArray[np.uint8], value: int, *, connectivity: int) -> None:
    """Set `pixels` to `value` wherever `parts` has a connected part that is too small, but for its largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(parts, connectivity=connectivity)
    areas = stats[:, cv2.CC_STAT_AREA]
    largest = 1 + int(areas[1:].argmax()) if count > 1 else 0
    for index in np.flatnonzero(areas < SPECK):
        if index not in (0, largest):
            x, y, width, height = stats[index, :4]
            box = (slice(y, y + height), slice(x, x + width))
            pixels[box][labels[box] == index] = value
