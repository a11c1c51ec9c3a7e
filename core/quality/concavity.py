"""How far a mask is from convex."""

import cv2
import numpy as np

from core.masks import Mask


def concavity(mask: Mask) -> float:
    """Return 1 - area / area of the convex hull, in [0, 1), as SA-1B's masks are told (arXiv 2304.02643, section 5).

    0 for a convex mask, and for an empty one.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)

    Examples
    --------
    >>> mask = np.ones((10, 10), bool)
    >>> concavity(mask)
    0.0
    >>> mask[:5, :5] = False
    >>> round(concavity(mask), 2)
    0.12
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return 0.0
    crop = mask[rows[0] : rows[-1] + 1].astype(np.uint8)
    outlines, _ = cv2.findContours(crop, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(outlines))
    x, y, width, height = cv2.boundingRect(hull)
    filled = cv2.fillConvexPoly(np.zeros((height, width), np.uint8), hull - (x, y), 1)
    return 1 - cv2.countNonZero(crop) / cv2.countNonZero(filled)
