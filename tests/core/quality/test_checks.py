"""The checks at accept, on masks drawn by hand and against scikit-image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage.measure import euler_number, label

from core import masks
from core.quality.checks import CHECKS, LIBRARY_CHECKS, ExistingMask, Flag, Limits, check_mask, validate_mask
from tests.core.quality.conftest import ALL, drawn, existing


def named(mask: np.ndarray, *others: np.ndarray, limits: Limits = ALL) -> dict[str, Flag]:
    return {flag.name: flag for flag in check_mask(mask, existing(*others), limits=limits)}


def test_a_plain_mask_has_no_flags() -> None:
    assert named(drawn("....", ".##.", ".##.", "....")) == {}


def test_an_empty_mask_is_an_error() -> None:
    (flag,) = check_mask(np.zeros((4, 4), bool), [], limits=ALL)
    assert (flag.name, flag.severity) == ("empty", "error")


def test_a_small_mask_is_below_the_limit() -> None:
    mask = drawn("....", ".##.", ".##.", "....")
    assert "4 pixels; 5 are" in named(mask, limits=Limits(min_area=5))["small"].message
    assert "small" not in named(mask, limits=Limits(min_area=4))


def test_islands_are_counted_and_placed() -> None:
    flag = named(drawn("##....", "##....", "......", ".....#"))["islands"]
    assert (flag.detail["parts"], flag.detail["pixels"], flag.box, flag.fix) == (1, 1, (5, 3, 1, 1), "clean")


def test_parts_that_touch_at_a_corner_are_one() -> None:
    assert "islands" not in named(drawn("#...", ".#..", "..#.", "...."))


def test_holes_are_counted_and_placed() -> None:
    flag = named(drawn("......", ".####.", ".#.##.", ".####.", "......"))["holes"]
    assert (flag.detail["parts"], flag.detail["pixels"], flag.box) == (1, 1, (2, 2, 1, 1))


def test_a_bay_is_no_hole() -> None:
    assert "holes" not in named(drawn("####", "#..#", "#..#", "...."))
    assert "holes" not in named(drawn("####", "#...", "####", "...."))


def test_a_known_box_changes_nothing_that_is_said() -> None:
    rng = np.random.default_rng(0)
    made = []
    for _ in range(20):
        x, y, width, height = rng.integers(0, 30, 2).tolist() + rng.integers(5, 60, 2).tolist()
        mask = np.zeros((90, 90), bool)
        mask[y : y + height, x : x + width] = True
        made.append(masks.encode(mask))
    plain = [ExistingMask(number, rle) for number, rle in enumerate(made)]
    boxed = [ExistingMask(number, rle, masks.bbox(rle)) for number, rle in enumerate(made)]
    for number, rle in enumerate(made):
        mask = masks.decode(rle)
        said = check_mask(mask, plain[:number], limits=Limits())
        assert check_mask(mask, boxed[:number], limits=Limits(), rle=rle) == said
        assert validate_mask(mask, boxed[:number], limits=Limits()) == validate_mask(
            mask, plain[:number], limits=Limits()
        )


def test_duplicates_are_found_by_iou_and_by_containment() -> None:
    large = np.zeros((40, 40), bool)
    large[5:35, 5:35] = True
    similar, inside, part, apart = (np.zeros((40, 40), bool) for _ in range(4))
    similar[5:35, 8:38] = True
    inside[5:25, 5:30] = True  # 500 of 900 pixels, all inside: as large as half, so perhaps the same object
    part[10:20, 10:20] = True  # 100 of 900: a part in its whole
    apart[36:39, 36:39] = True
    assert named(large, similar)["duplicate"].detail["mask_id"] == 1
    assert "duplicate" in named(large, inside)
    assert "duplicate" in named(inside, large)
    assert "duplicate" not in named(part, large)
    assert "duplicate" not in named(large, part, apart)


def test_covering_nearly_everything_is_flagged() -> None:
    mask = np.ones((20, 20), bool)
    assert "covering" in named(mask)
    mask[:2] = False
    assert "covering" not in named(mask)


@given(arrays.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_components_and_holes_agree_with_scikit_image(mask: np.ndarray) -> None:
    if not mask.any():
        return
    flags = named(mask)
    padded = np.pad(mask, 1)
    parts = int(label(padded, connectivity=2).max())
    holes = parts - euler_number(padded, connectivity=2)
    assert (flags["islands"].detail["parts"] if "islands" in flags else 0) == parts - 1
    assert (flags["holes"].detail["parts"] if "holes" in flags else 0) == holes


@pytest.mark.parametrize("name", LIBRARY_CHECKS)
def test_every_check_says_what_it_does(name: str) -> None:
    assert LIBRARY_CHECKS[name].__name__ == name
    assert (LIBRARY_CHECKS[name].__doc__ or "").startswith("Say so if")


def test_a_library_is_checked_for_all_that_is_asked_at_accept() -> None:
    assert set(CHECKS) < set(LIBRARY_CHECKS)
