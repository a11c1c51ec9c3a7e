"""RLE: exact both ways, and hostile runs refused before pycocotools sees them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco

from core import masks
from core.errors import InvalidInput

any_mask = arrays.arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 30)))


@given(any_mask)
def test_masks_survive_the_round_trip(mask: np.ndarray) -> None:
    rle = masks.encode(mask)
    checked = masks.check(rle["size"], rle["counts"], expected_hw=mask.shape)
    assert np.array_equal(masks.decode(checked), mask)
    assert masks.area(rle) == mask.sum()


@given(any_mask)
def test_boxes_are_tight(mask: np.ndarray) -> None:
    x, y, width, height = masks.bbox(masks.encode(mask))
    rows, columns = np.nonzero(mask)
    if rows.size:
        assert (x, y) == (columns.min(), rows.min())
        assert (width, height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
    else:
        assert width * height == 0


@given(any_mask, st.data())
def test_iou_is_intersection_over_union(mask: np.ndarray, data: st.DataObject) -> None:
    other = data.draw(arrays.arrays(bool, mask.shape))
    union = (mask | other).sum()
    expected = (mask & other).sum() / union if union else 0.0
    assert masks.iou(masks.encode(mask), [masks.encode(other)])[0] == pytest.approx(expected)


def test_counts_are_those_of_pycocotools() -> None:
    mask = np.zeros((5, 7), bool)
    mask[1:4, 2:6] = True
    assert masks.encode(mask)["counts"] == coco.encode(np.asfortranarray(mask, np.uint8))["counts"].decode()


@pytest.mark.parametrize("rows", [1, 2, 300])
def test_no_mask_needs_more_text_than_is_taken(rows: int) -> None:
    """Runs as long as can be, and alternately as unlike their neighbours as can be."""
    for mask in (np.indices((rows, 700)).sum(axis=0) % 2, np.arange(rows * 700).reshape(700, rows).T % 34 < 17):
        rle = masks.encode(mask.astype(bool))
        assert masks.check(rle["size"], rle["counts"]) == rle


@pytest.mark.parametrize(
    ("size", "counts", "says"),
    [
        ([4, 4], "", "must cover 16 pixels, got 0"),
        ([4, 4], "ppppp", "characters 0 to o"),
        ([4, 4], "ooooooooooooo", "must fit 32 bits"),
        ([4, 4], "0P", "last run must be complete"),
        ([4, 4], "@", "must be from 0"),
        ([4, 4], "ä", "ASCII"),
        ([0, 4], "0", "size must be"),
        ([10**6, 10**6], "0", "size must be"),
        ([4, 4, 4], "0", "size must be"),
        ([5, 4], "d0", "must have the image's size"),
        ([4, 4], "0" * 49, "must fit its 16 pixels, got 49 characters"),
    ],
)
def test_hostile_runs_are_refused(size: list[int], counts: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        masks.check(size, counts, expected_hw=(4, 4) if size == [5, 4] else None)


@given(st.text(max_size=30), st.integers(1, 50), st.integers(1, 50))
def test_any_text_is_either_a_mask_or_refused(counts: str, height: int, width: int) -> None:
    try:
        rle = masks.check([height, width], counts)
    except InvalidInput:
        return
    assert masks.decode(rle).shape == (height, width)
