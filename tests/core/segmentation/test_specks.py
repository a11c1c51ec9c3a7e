"""Specks go, and nothing else does."""

import numpy as np
import pytest
from skimage.morphology import remove_small_holes, remove_small_objects

from core.segmentation.specks import SPECK, without_specks


def blobs(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.zeros((120, 160), bool)
    for _ in range(30):
        row, column, side = rng.integers(0, 110), rng.integers(0, 150), rng.integers(1, 18)
        mask[row : row + side, column : column + side] = rng.random() < 0.6
    mask[20:60, 30:90] |= rng.random((40, 60)) < 0.97
    return mask


@pytest.mark.parametrize("seed", range(8))
def test_islands_and_holes_go_as_scikit_image_takes_them(seed: int) -> None:
    mask = blobs(seed)
    # Holes first, in a frame of background, then islands; sizes are counted below the limit.
    framed = remove_small_holes(np.pad(mask, 1), max_size=SPECK - 1, connectivity=1)[1:-1, 1:-1]
    expected = remove_small_objects(framed, max_size=SPECK - 1, connectivity=2)
    assert np.array_equal(without_specks(mask), expected)


def test_a_mask_that_is_a_speck_stays() -> None:
    mask = np.zeros((20, 20), bool)
    mask[3:6, 3:6] = True
    mask[10, 10] = True
    found = without_specks(mask)
    assert found.sum() == 9
    assert found[3:6, 3:6].all()


def test_an_empty_mask_stays_empty() -> None:
    assert not without_specks(np.zeros((5, 5), bool)).any()
