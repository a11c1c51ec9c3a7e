"""How well the outlines of two masks agree."""

import math
from typing import Final

import cv2
import numpy as np

from core.masks import Mask

REACH: Final = 0.02
"""Width of the band along an outline, in the image's diagonal: that of the paper for photos like COCO's."""


def boundary_iou(one: Mask, other: Mask, *, reach: float = REACH) -> float:
    """Return the IoU of the bands inside both outlines, 1 where both masks are empty.

    A band holds a mask's pixels within a few pixels of its outline; the photo's edge counts as outline. Plain IoU of a
    large mask hardly sees its edge: Cheng et al., "Boundary IoU", CVPR 2021.

    Parameters
    ----------
    one, other : ndarray of bool, shape (H, W)
    reach : float
        Width of the band in the image's diagonal; one pixel at least.
    """
    pixels = max(1, round(reach * math.hypot(*one.shape)))
    rows, columns = np.flatnonzero((one | other).any(axis=1)), np.flatnonzero((one | other).any(axis=0))
    if not rows.size:
        return 1.0
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    ours, theirs = _band(one[part], pixels), _band(other[part], pixels)
    return int((ours & theirs).sum()) / int((ours | theirs).sum())


def _band(mask: Mask, pixels: int) -> Mask:
    padded = np.pad(mask.astype(np.uint8), 1)
    inner = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=pixels)[1:-1, 1:-1]
    band: Mask = mask & (inner == 0)
    return band
