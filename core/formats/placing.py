"""A mask within its box, put where it lies in its image."""

import numpy as np

from core import masks
from core.errors import InvalidInput
from core.masks import Mask, Rle


def placed(crop: Mask, x: int, y: int, height: int, width: int) -> Rle:
    """Return the runs of an image of this size with `crop` at (x, y).

    Raises
    ------
    InvalidInput
        If it reaches out of the image.
    """
    if x < 0 or y < 0 or y + crop.shape[0] > height or x + crop.shape[1] > width:
        raise InvalidInput(
            f"a mask must lie within its image of {width} x {height}, got {crop.shape[1]} x {crop.shape[0]} at {x}, {y}"
        )
    whole = np.zeros((height, width), bool)
    whole[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
    return masks.encode(whole)
