"""The pixels of a mask as the database has it."""

from core import masks
from core.masks import Mask, Rle
from storage.rows import MaskRow


def rle_of(row: MaskRow) -> Rle:
    """Return a mask's runs."""
    return {"size": [row.height, row.width], "counts": row.counts}


def decoded(row: MaskRow) -> Mask:
    """Return a mask's pixels, shape (H, W)."""
    return masks.decode(rle_of(row))
