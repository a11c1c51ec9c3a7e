"""Necks between parts, and the photo's border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.core.quality.conftest import block, disk, drawn, reported, turned

TWO = disk(60, 200) | disk(60, 335)
"""Two disks with 14 columns between them."""


def joined(width: int) -> np.ndarray:
    return TWO | block(200, 200, 135, width)


def test_two_parts_that_a_thin_neck_joins_are_told_with_the_neck() -> None:
    # 600 pixels wide: a neck is of 2 pixels at most.
    flag = reported(joined(2))["bridge"]
    assert (flag.severity, flag.detail) == ("info", {"parts": 2, "necks": 1})
    assert flag.box == (260, 200, 16, 2)
    assert "bridge" not in reported(joined(4))


def test_parts_that_nothing_joins_are_islands_and_no_bridge() -> None:
    assert "islands" in reported(TWO)
    assert "bridge" not in reported(TWO)


def test_a_small_part_on_a_neck_and_a_long_stem_are_no_bridges() -> None:
    knob = disk(90, 200) | disk(10, 310) | block(200, 200, 110, 2)
    stem = disk(60, 150) | disk(60, 400) | block(150, 200, 250, 2)
    assert "bridge" not in reported(knob)
    assert "bridge" not in reported(stem)


def test_three_parts_in_a_row_have_two_necks() -> None:
    row = block(10, 100, 100, 100) | block(120, 100, 100, 100) | block(230, 100, 100, 100) | block(10, 150, 320, 2)
    flag = reported(row)["bridge"]
    assert (flag.detail, flag.box) == ({"parts": 3, "necks": 2}, (110, 150, 10, 2))


def test_parts_that_meet_at_a_corner_hang_together_there() -> None:
    corner = block(100, 100, 80, 80) | block(180, 180, 80, 80)
    x, y, width, height = reported(corner)["bridge"].box or (0, 0, 0, 0)
    assert (x, y) in {(179, 179), (180, 179), (179, 180), (180, 180)}
    assert max(width, height) <= 2


@pytest.mark.parametrize("mask", [disk(), disk(8), turned(20), turned(45, (300, 6)), turned(33, (200, 200))])
def test_ordinary_shapes_have_no_bridge(mask: np.ndarray) -> None:
    assert reported(mask) == {}


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud])
def test_a_mirrored_bridge_is_a_bridge(turn: np.ufunc) -> None:
    assert reported(turn(joined(2)))["bridge"].detail == reported(joined(2))["bridge"].detail


def test_a_mask_along_the_border_is_told_with_where() -> None:
    assert reported(block(0, 100, 50, 100))["border"].box == (0, 100, 1, 100)
    assert reported(block(550, 100, 50, 100))["border"].box == (599, 100, 1, 100)
    assert reported(block(100, 0, 100, 50))["border"].box == (100, 0, 100, 1)
    flag = reported(block(100, 350, 100, 50))["border"]
    assert (flag.box, flag.severity) == ((100, 399, 100, 1), "info")
    assert flag.message == "The mask runs along the photo's lower edge for 100 pixels."


def test_several_sides_are_told_together() -> None:
    assert "left and upper edge for 200 pixels" in reported(block(0, 0, 100, 100))["border"].message
    assert "left, right, upper edge" in reported(block(0, 0, 600, 100))["border"].message


def test_touching_the_border_a_little_is_nothing() -> None:
    assert reported(block(0, 100, 50, 40)) == {}
    assert reported(block(100, 0, 60, 50)) == {}


@given(arrays.arrays(bool, st.tuples(st.integers(1, 24), st.integers(1, 24))))
def test_no_mask_troubles_the_checks_and_boxes_lie_in_the_image(mask: np.ndarray) -> None:
    for flag in reported(mask, np.flipud(mask), ~mask).values():
        if flag.box is not None:
            x, y, width, height = flag.box
            assert 0 <= x < x + width <= mask.shape[1]
            assert 0 <= y < y + height <= mask.shape[0]


@given(arrays.arrays(bool, (12, 30)), st.sampled_from([np.fliplr, np.flipud]))
def test_mirroring_changes_nothing_that_is_said_of_a_bridge(mask: np.ndarray, turn: np.ufunc) -> None:
    blown = np.kron(mask, np.ones((5, 5))) > 0
    one, other = reported(blown).get("bridge"), reported(turn(blown)).get("bridge")
    assert (one and one.detail) == (other and other.detail)


def test_a_mask_of_one_pixel_has_no_margin_to_spare() -> None:
    assert set(reported(drawn("#"))) == {"covering", "border"}
