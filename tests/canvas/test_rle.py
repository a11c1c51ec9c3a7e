"""rle.js against pycocotools: the same counts, and the same pixels back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from playwright.sync_api import Error, Page

from core.masks import encode

ROUND_TRIP = """async (rles) => {
  const { decode, encode } = await import('/rle.js');
  return rles.map((rle) => {
    const pixels = decode(rle);
    return { pixels: Array.from(pixels), again: encode(pixels, ...rle.size) };
  });
}"""

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))


def round_trip(page: Page, arrays: list[NDArray[np.bool_]]) -> None:
    rles = [encode(array) for array in arrays]
    found: list[dict[str, Any]] = page.evaluate(ROUND_TRIP, rles)
    for array, rle, one in zip(arrays, rles, found, strict=True):
        assert np.array_equal(np.array(one["pixels"], bool).reshape(array.shape), array)
        assert one["again"] == rle


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays=st.lists(masks, min_size=5, max_size=20))
def test_any_mask_survives_both_ways(pure_page: Page, arrays: list[NDArray[np.bool_]]) -> None:
    round_trip(pure_page, arrays)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((1000, 1500), bool),
        np.ones((1000, 1500), bool),
        np.add.outer(np.arange(700) ** 2, np.arange(900) ** 2) < 400_000,
        np.random.default_rng(3).random((300, 301)) < 0.5,
    ],
    ids=["empty", "full", "quarter disk", "noise"],
)
def test_whole_images(pure_page: Page, array: NDArray[np.bool_]) -> None:
    rle = encode(array)
    area, again = pure_page.evaluate(
        """async (rle) => {
          const { decode, encode } = await import('/rle.js');
          const pixels = decode(rle);
          return [pixels.reduce((sum, value) => sum + value, 0), encode(pixels, ...rle.size)];
        }""",
        rle,
    )
    assert area == array.sum()
    assert again == rle


@pytest.mark.parametrize(
    ("rle", "said"),
    [
        ({"size": [2, 2], "counts": "5"}, "must cover 2 x 2 pixels, got 5"),
        ({"size": [2, 2], "counts": "\u00e9"}, "must hold characters 48 to 111"),
        ({"size": [2, 2], "counts": "P"}, "must end with a whole number"),
    ],
)
def test_what_is_no_mask_is_refused(pure_page: Page, rle: dict[str, Any], said: str) -> None:
    with pytest.raises(Error, match=said):
        pure_page.evaluate("async (rle) => { (await import('/rle.js')).decode(rle); }", rle)
