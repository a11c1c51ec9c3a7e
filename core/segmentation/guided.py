"""A small mask made sharp at full size with the photo's own edges.

The guided filter (He, Sun and Tang, "Guided image filtering", PAMI 2013; its fast form, arXiv 1505.00996):
locally the soft mask is an affine function of the photo's colours. The function is fitted on the small
copy and applied to the full photo.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.protocol import Logits, Mask, RgbImage
from core.segmentation.windows import Window

RADIUS: Final = 3
EPSILON: Final = 1e-4
SURE: Final = 8.0
UNSURE: Final = 0.02
"""Where the small mask is nearer than this to 0 or 1, the photo's edges cannot turn it."""
SAMPLES: Final = 1024
CHUNK: Final = 1 << 16

Plane = NDArray[np.float32]
Indices = NDArray[np.int32]


class GuidedMask:
    """The mask of one window: soft on the small copy at once, sharp at full size on demand.

    Parameters
    ----------
    mid : ndarray of uint8, shape (h, w, 3)
        The small copy of the photo.
    window : Window
        Where in it the mask was cut.
    mask : ndarray of bool or of float32
        How far the window's pixels are the object's, 0 to 1, at the grain of the cut.
    radius : int
        How far, in pixels of the small copy, an edge of the photo may lie from where the mask has it.
    """

    def __init__(self, mid: RgbImage, window: Window, mask: Mask | Plane, radius: int = RADIUS) -> None:
        rows, columns = mid.shape[:2]
        self.soft: Plane = np.zeros((rows, columns), np.float32)
        self._crop = _bounds(window, mask, (rows, columns), margin=3 * radius)
        x0, y0, x1, y1 = self._crop
        if x1 <= x0 or y1 <= y0:
            self._gains = np.zeros((0, 0, 4), np.float32)
            return
        plain = np.zeros((rows, columns), np.float32)
        size = (window.x1 - window.x0, window.y1 - window.y0)
        plain[window.y0 : window.y1, window.x0 : window.x1] = cv2.resize(
            mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR
        )
        guide = _unit(mid[y0:y1, x0:x1])
        self._gains = _fit(guide, plain[y0:y1, x0:x1], radius)
        self.soft[y0:y1, x0:x1] = np.clip(_apply(self._gains, guide), 0, 1)

    def logits(self) -> Logits:
        """Return the soft mask as logits in [-8, 8], at the size of the small copy."""
        inside = np.clip(self.soft, 1e-4, 1 - 1e-4)
        return np.asarray(np.clip(np.log(inside / (1 - inside)), -SURE, SURE), np.float32)

    def stability(self) -> float:
        """Return the IoU of the masks cut at logits +1 and -1; 0 for an empty one."""
        high, low = 1 / (1 + np.exp(-1.0)), 1 / (1 + np.exp(1.0))
        larger = int((self.soft > low).sum())
        return int((self.soft > high).sum()) / larger if larger else 0.0

    def full(self, image: RgbImage, unsure: float = UNSURE) -> Mask:
        """Return the mask at the size of `image`, the photo the small copy was made of.

        Only where the small mask is undecided, farther than `unsure` from 0 and 1, does the photo decide.
        """
        height, width = image.shape[:2]
        mask = np.zeros((height, width), bool)
        x0, y0, x1, y1 = self._crop
        if x1 <= x0 or y1 <= y0:
            return mask
        rows, columns = self.soft.shape
        scale_x, scale_y = width / columns, height / rows
        left, top = round(x0 * scale_x), round(y0 * scale_y)
        right, bottom = round(x1 * scale_x), round(y1 * scale_y)
        size = (right - left, bottom - top)
        soft = self.soft[y0:y1, x0:x1]
        inside = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR) > 0.5
        undecided = ((soft > unsure) & (soft < 1 - unsure)).astype(np.uint8)
        band = cv2.resize(cv2.dilate(undecided, np.ones((3, 3), np.uint8)), size, interpolation=cv2.INTER_NEAREST)
        for at_x, at_y in _places(band):
            places = (top + at_y) * width + (left + at_x)
            r, g, b = _unit(image.reshape(-1, 3).take(places, axis=0)).T
            of_r, of_g, of_b, offset = _sampled(self._gains, at_x, at_y, size).T
            inside[at_y, at_x] = of_r * r + of_g * g + of_b * b + offset > 0.5
        mask[top:bottom, left:right] = inside
        return mask


def _places(band: NDArray[Any]) -> Iterator[tuple[Indices, Indices]]:
    """Yield columns and rows of the pixels that are set, so many at a time as memory close by holds."""
    found = cv2.findNonZero(band)
    places = np.zeros((0, 2), np.int32) if found is None else np.asarray(found, np.int32).reshape(-1, 2)
    for begin in range(0, len(places), CHUNK):
        yield places[begin : begin + CHUNK, 0], places[begin : begin + CHUNK, 1]


def _sampled(gains: Plane, at_x: Indices, at_y: Indices, size: tuple[int, int]) -> Plane:
    """Return the gains at pixels of a larger size, bilinear, shape (N, 4)."""
    rows, columns = gains.shape[:2]
    count = -(-at_x.size // SAMPLES) * SAMPLES  # OpenCV wants pictures, none of whose sides is very long
    x, y = np.zeros(count, np.float32), np.zeros(count, np.float32)
    x[: at_x.size] = (at_x + 0.5) * (columns / size[0]) - 0.5
    y[: at_y.size] = (at_y + 0.5) * (rows / size[1]) - 0.5
    shape = (-1, SAMPLES)
    found = cv2.remap(gains, x.reshape(shape), y.reshape(shape), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(-1, 4)[: at_x.size], np.float32)


def _bounds(window: Window, mask: Mask | Plane, size_hw: tuple[int, int], *, margin: int) -> tuple[int, int, int, int]:
    """Return the part of the small copy that the mask can reach, with a margin for the filter."""
    there = mask > UNSURE
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not rows.size:
        return 0, 0, 0, 0
    scale_x = (window.x1 - window.x0) / mask.shape[1]
    scale_y = (window.y1 - window.y0) / mask.shape[0]
    x0 = max(0, int(window.x0 + columns[0] * scale_x) - margin)
    y0 = max(0, int(window.y0 + rows[0] * scale_y) - margin)
    x1 = min(size_hw[1], int(window.x0 + (columns[-1] + 1) * scale_x) + 1 + margin)
    y1 = min(size_hw[0], int(window.y0 + (rows[-1] + 1) * scale_y) + 1 + margin)
    return x0, y0, x1, y1


def _unit(picture: RgbImage) -> Plane:
    """Return colours from 0 to 1."""
    return np.asarray(picture, np.float32) * np.float32(1 / 255)


def _mean(values: Plane, radius: int) -> Plane:
    box = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.boxFilter(values, -1, box, borderType=cv2.BORDER_REFLECT), np.float32)


def _fit(guide: Plane, soft: Plane, radius: int) -> Plane:
    """Return per pixel the three gains and the offset of colour -> mask, shape (h, w, 4)."""
    local = partial(_mean, radius=radius)
    mean, mean_soft = local(guide), local(soft)
    covariance = local(guide * soft[..., None]) - mean * mean_soft[..., None]
    r, g, b = guide[..., 0], guide[..., 1], guide[..., 2]
    mr, mg, mb = mean[..., 0], mean[..., 1], mean[..., 2]
    rr = local(r * r) - mr * mr + EPSILON
    gg = local(g * g) - mg * mg + EPSILON
    bb = local(b * b) - mb * mb + EPSILON
    rg, rb, gb = local(r * g) - mr * mg, local(r * b) - mr * mb, local(g * b) - mg * mb
    # The inverse of the symmetric 3x3 covariance, by cofactors.
    crr, crg, crb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    cgg, cgb, cbb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = rr * crr + rg * crg + rb * crb
    cr, cg, cb = covariance[..., 0], covariance[..., 1], covariance[..., 2]
    gains = np.empty((*soft.shape, 4), np.float32)
    gains[..., 0] = (crr * cr + crg * cg + crb * cb) / determinant
    gains[..., 1] = (crg * cr + cgg * cg + cgb * cb) / determinant
    gains[..., 2] = (crb * cr + cgb * cg + cbb * cb) / determinant
    gains[..., 3] = mean_soft - (gains[..., :3] * mean).sum(axis=-1)
    return local(gains)


def _apply(gains: Plane, guide: Plane) -> Plane:
    weighted = cv2.multiply(gains[..., :3], guide)
    soft: Plane = cv2.transform(weighted, np.ones((1, 3), np.float32)) + gains[..., 3]
    return soft
