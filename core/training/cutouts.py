"""Objects cut out of their background: pictures with an alpha channel, small, with the parts their colours show."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE: Final = 160
SUFFIXES: Final = (".png", ".webp")
LEAST_SIDE: Final = 64
_SMALL: Final = 64


@dataclass(frozen=True, slots=True)
class Cutout:
    """One object.

    Attributes
    ----------
    colours : ndarray of uint8, shape (h, w, 3)
    alpha : ndarray of uint8, shape (h, w)
    parts, subparts : ndarray of uint8, shape (h, w)
        Which connected region of one colour a pixel is in, of few colours and of more; 0 outside.
    """

    colours: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    parts: NDArray[np.uint8]
    subparts: NDArray[np.uint8]


def read_cutouts(paths: Iterable[Path]) -> Iterator[Cutout]:
    """Yield the usable cut-outs among files: large enough, neither empty nor a full rectangle, no line drawings."""
    for path in paths:
        try:
            with Image.open(path) as opened:
                picture = opened.convert("RGBA")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
        found = cutout_of(picture)
        if found is not None:
            yield found


def cutout_of(picture: Image.Image) -> Cutout | None:
    """Return an RGBA picture as a cut-out, or None if it is of no use."""
    box = picture.getchannel("A").point(lambda value: 255 if value > 127 else 0).getbbox()
    if box is None or min(box[2] - box[0], box[3] - box[1]) < LEAST_SIDE / 2 or max(picture.size) < LEAST_SIDE:
        return None
    picture = picture.crop(box)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    pixels = np.asarray(picture)
    colours, alpha = pixels[..., :3].copy(), pixels[..., 3].copy()
    inside = alpha > 127
    eroded = cv2.erode(inside.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=0)
    if not 0.12 < inside.mean() < 0.97 or eroded.sum() < 0.3 * inside.sum():
        return None
    return Cutout(spread(colours, inside), alpha, regions(colours, inside, 3), regions(colours, inside, 7))


def spread(colours: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return colours that go on beyond the object: what lies outside would come in as a dark seam when it is turned."""
    nearest = _nearest(inside)
    lookup = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    lookup[nearest[inside]] = colours[inside]
    outside: NDArray[np.uint8] = np.where(inside[..., None], colours, lookup[nearest])
    return outside


def _nearest(area: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return a number for each pixel of an area, and for each other pixel that of the nearest one in it."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~area).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    return np.asarray(nearest, np.int32)


def regions(colours: NDArray[np.uint8], inside: NDArray[np.bool_], count: int) -> NDArray[np.uint8]:
    """Return connected regions of one of `count` colours, the specks given to their neighbours; 0 outside."""
    height, width = inside.shape
    small_size = (max(8, round(width * _SMALL / SIDE)), max(8, round(height * _SMALL / SIDE)))
    small = cv2.resize(cv2.medianBlur(colours, 5), small_size, interpolation=cv2.INTER_AREA)
    there = cv2.resize(inside.astype(np.uint8), small_size, interpolation=cv2.INTER_NEAREST) > 0
    if there.sum() < 4 * count:
        return inside.astype(np.uint8)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    rows, columns = np.mgrid[: small.shape[0], : small.shape[1]].astype(np.float32)
    place = np.stack([rows, columns], -1) * (40.0 / _SMALL)
    samples = np.concatenate([lab, place], -1)[there]
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
    _, labels, _ = cv2.kmeans(samples, count, np.empty(0, np.int32), criteria, 1, cv2.KMEANS_PP_CENTERS)
    clusters = np.zeros(small.shape[:2], np.uint8)
    clusters[there] = labels[:, 0] + 1
    found, marks = 0, np.zeros_like(clusters)
    for cluster in range(1, count + 1):
        member = (clusters == cluster).astype(np.uint8)
        pieces, labelled, stats, _ = cv2.connectedComponentsWithStats(member, connectivity=4)
        for piece in range(1, pieces):
            if stats[piece, cv2.CC_STAT_AREA] >= 0.03 * there.sum() and found < 250:
                found += 1
                marks[labelled == piece] = found
    if found == 0:
        return inside.astype(np.uint8)
    # Specks take the mark of the nearest region that counts.
    nearest = _nearest(marks > 0)
    lookup = np.zeros(int(nearest.max()) + 1, np.uint8)
    lookup[nearest[marks > 0]] = marks[marks > 0]
    filled = lookup[nearest]
    full = cv2.resize(filled, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.where(inside, full, 0).astype(np.uint8)
