"""Slivers and gaps between masks of one image."""

import numpy as np

from tests.core.quality.conftest import block, disk, reported

LEFT, RIGHT = block(100, 100, 100, 100), block(200, 100, 100, 100)


def test_masks_that_touch_or_lie_apart_have_nothing_to_say() -> None:
    assert reported(LEFT, RIGHT) == {}
    assert reported(LEFT, disk(30, 500)) == {}


def test_a_sliver_that_two_masks_share_is_told_with_where() -> None:
    flag = reported(block(198, 100, 100, 100), LEFT)["crumb"]
    assert (flag.box, flag.detail) == ((198, 100, 2, 100), {"mask_id": 1, "pixels": 200})
    assert flag.message == "The mask shares a sliver of 200 pixels with mask 1."


def test_a_few_pixels_a_part_and_a_duplicate_are_no_sliver() -> None:
    assert "crumb" not in reported(block(199, 190, 100, 100), LEFT)
    assert "crumb" not in reported(block(120, 120, 30, 30), LEFT)
    assert "crumb" not in reported(LEFT, block(101, 100, 100, 100))


def slit(width: int, *, height: int = 60) -> np.ndarray:
    """Return the right block with a slit along the left one; both touch above and below it."""
    return RIGHT & ~block(200, 120, width, height)


def test_a_gap_between_masks_that_touch_around_it_is_told_with_where() -> None:
    flag = reported(slit(2, height=40), LEFT)["gap"]
    assert (flag.box, flag.detail) == ((200, 120, 2, 40), {"mask_id": 1, "pixels": 80})
    assert "gap" in reported(LEFT, slit(2, height=40))


def test_a_gap_that_lies_in_one_box_is_found_too() -> None:
    posts = block(100, 200, 30, 2) | block(170, 200, 30, 2)
    assert reported(LEFT | posts, block(100, 202, 100, 60))["gap"].box == (130, 200, 40, 2)


def test_what_is_wide_open_small_or_longer_than_the_contact_is_no_gap() -> None:
    assert "gap" not in reported(slit(8, height=40), LEFT)
    assert "gap" not in reported(RIGHT & ~block(200, 160, 2, 40), LEFT)
    assert "gap" not in reported(slit(1, height=15), LEFT)
    assert "gap" not in reported(slit(2, height=70), LEFT)


def test_a_hole_of_one_mask_is_no_gap_to_another() -> None:
    assert "gap" not in reported(RIGHT & ~block(220, 120, 3, 40), LEFT)


def test_what_a_third_mask_covers_is_no_gap() -> None:
    third = block(200, 120, 2, 40)
    assert "gap" not in reported(slit(2, height=40), LEFT, third)


def test_gaps_are_told_of_each_neighbour() -> None:
    below = block(100, 200, 200, 50) & ~block(210, 200, 40, 2)
    said = reported(slit(2, height=40), LEFT, below)
    assert said["gap"].detail["mask_id"] == 2


def test_a_mask_that_lies_half_on_another_is_told_with_where() -> None:
    flag = reported(block(170, 100, 100, 100), LEFT)["astride"]
    assert (flag.box, flag.detail) == ((170, 100, 30, 100), {"mask_id": 1, "pixels": 3000})
    assert flag.message.startswith("The mask shares 30% of the smaller with mask 1")


def test_parts_slivers_and_duplicates_are_not_astride() -> None:
    assert "astride" not in reported(block(110, 110, 40, 40), LEFT)
    assert "astride" not in reported(block(196, 100, 100, 100), LEFT)
    assert "astride" not in reported(block(110, 100, 100, 100), LEFT)
    assert "astride" in reported(block(80, 110, 40, 40), LEFT)
