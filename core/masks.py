"""Masks as pixels and as COCO run-length encoding, the form in which they travel and are kept."""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from core.errors import InvalidInput

Mask = NDArray[np.bool_]
MAX_SIDE = 20_000
MAX_PIXELS = 400_000_000
_MAX_GROUPS = 7
"""Characters of one run: 35 bits hold any 32-bit number and its sign."""


class Rle(TypedDict):
    """COCO's compressed RLE: `size` is [height, width], `counts` the runs, column by column."""

    size: list[int]
    counts: str


def encode(mask: Mask) -> Rle:
    """Return a mask of shape (H, W) as compressed RLE.

    Examples
    --------
    >>> encode(np.array([[0, 1], [1, 1]], bool))
    {'size': [2, 2], 'counts': '13'}
    """
    encoded = coco.encode(np.asfortranarray(mask.view(np.uint8)))
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode("ascii")}


def decode(rle: Rle) -> Mask:
    """Return the pixels of a mask, shape (H, W). The runs must have been checked with `check`."""
    decoded: Mask = coco.decode(_raw(rle)).view(np.bool_)  # its bytes are 0 and 1
    return decoded


def area(rle: Rle) -> int:
    """Return how many pixels a mask has."""
    return int(coco.area(_raw(rle)))


def bbox(rle: Rle) -> tuple[int, int, int, int]:
    """Return the smallest box around a mask as (x, y, width, height); all zero for an empty one."""
    x, y, width, height = (int(value) for value in coco.toBbox(_raw(rle)))
    return x, y, width, height


def iou(rle: Rle, others: Sequence[Rle]) -> NDArray[np.float64]:
    """Return the intersection over union of one mask with each of the others, shape (N,)."""
    if not others:
        return np.zeros(0)
    values: NDArray[np.float64] = coco.iou([_raw(rle)], [_raw(other) for other in others], [0] * len(others))[0]
    return values


def union(rles: Sequence[Rle]) -> Rle:
    """Return what is in at least one of some masks of the same size; the runs must have been checked."""
    if len(rles) == 1:
        return rles[0]
    merged = coco.merge([_raw(rle) for rle in rles])
    return {"size": list(rles[0]["size"]), "counts": merged["counts"].decode("ascii")}


def check(size: Sequence[int], counts: str, *, expected_hw: tuple[int, int] | None = None) -> Rle:
    """Return an RLE from outside once it is known to describe every pixel of its size, once.

    pycocotools reads past its buffers when runs do not add up, so nothing unchecked may reach it.

    Raises
    ------
    InvalidInput
        If the size is not `expected_hw`, is absurd, or the runs do not add up to it.
    """
    if len(size) != 2 or not all(1 <= side <= MAX_SIDE for side in size) or size[0] * size[1] > MAX_PIXELS:
        raise InvalidInput(f"a mask's size must be [height, width] of at most {MAX_SIDE}, got {list(size)[:4]}")
    if expected_hw is not None and (size[0], size[1]) != expected_hw:
        raise InvalidInput(f"the mask must have the image's size {list(expected_hw)}, got {list(size)}")
    # Differences of runs add up to twice the pixels at most, so no mask needs more: anything longer is stuffed.
    if len(counts) > 2 * size[0] * size[1] + 16:
        raise InvalidInput(f"a mask's runs must fit its {size[0] * size[1]} pixels, got {len(counts)} characters")
    total = int(_runs(counts).sum())
    if total != size[0] * size[1]:
        raise InvalidInput(f"the mask's runs must cover {size[0] * size[1]} pixels, got {total}")
    return {"size": [int(size[0]), int(size[1])], "counts": counts}


def _runs(counts: str) -> NDArray[np.int64]:
    """Return the run lengths of a compressed RLE.

    Its characters hold five bits each, low first; from the fourth on, a run is a difference from the last but one.
    """
    if not counts.isascii():
        raise InvalidInput("a mask's runs must be ASCII text, got other characters")
    if not counts:
        return np.zeros(0, np.int64)
    groups = np.frombuffer(counts.encode("ascii"), np.uint8).astype(np.int64) - 48
    strange = np.flatnonzero((groups < 0) | (groups > 63))
    if strange.size:
        raise InvalidInput(f"a mask's runs must be made of the characters 0 to o, got {counts[strange[0]]!r}")
    goes_on = (groups & 0x20) != 0
    starts = np.flatnonzero(~np.concatenate([[False], goes_on[:-1]]))
    lengths = np.diff(np.append(starts, groups.size))
    if lengths.max() > _MAX_GROUPS:
        raise InvalidInput("a mask's run must fit 32 bits, got a longer one")
    if goes_on[-1]:
        raise InvalidInput("a mask's last run must be complete, got its beginning only")
    shifts = 5 * (np.arange(groups.size) - np.repeat(starts, lengths))
    runs: NDArray[np.int64] = np.add.reduceat((groups & 0x1F) << shifts, starts)
    last = groups[starts + lengths - 1]
    runs -= np.where(last & 0x10, np.int64(1) << (5 * lengths), 0)
    runs[1::2], runs[2::2] = np.cumsum(runs[1::2]), np.cumsum(runs[2::2])
    outside = np.flatnonzero((runs < 0) | (runs > MAX_PIXELS))
    if outside.size:
        raise InvalidInput(f"a mask's run must be from 0 to {MAX_PIXELS} pixels, got {runs[outside[0]]}")
    return runs


def _raw(rle: Rle) -> dict[str, Any]:
    return {"size": rle["size"], "counts": rle["counts"].encode("ascii")}
