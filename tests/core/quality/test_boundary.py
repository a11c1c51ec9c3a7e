"""Boundary IoU beside the paper's own steps, and by hand."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from core.quality.boundary import boundary_iou

Mask = NDArray[np.bool_]


def by_the_paper(one: Mask, other: Mask, reach: float) -> float:
    """Do as the paper's text says, on the whole picture: mask less eroded mask, IoU of both."""
    pixels = max(1, round(reach * math.hypot(*one.shape)))

    def band(mask: Mask) -> Mask:
        padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=pixels)
        return mask & (eroded[1:-1, 1:-1] == 0)

    ours, theirs = band(one), band(other)
    union = (ours | theirs).sum()
    return float((ours & theirs).sum() / union) if union else 1.0


masks = arrays(bool, (24, 31), elements=st.booleans()).map(
    lambda noise: cv2.medianBlur(noise.astype(np.uint8) * 255, 5) > 0
)


@given(masks, masks, st.sampled_from([0.01, 0.05, 0.1]))
def test_it_is_what_the_paper_says(one: Mask, other: Mask, reach: float) -> None:
    assert boundary_iou(one, other, reach=reach) == pytest.approx(by_the_paper(one, other, reach))


def test_a_shift_costs_a_large_masks_outline_more_than_its_area() -> None:
    one, other = np.zeros((100, 100), bool), np.zeros((100, 100), bool)
    one[10:90, 10:90] = other[10:90, 12:92] = True
    iou = (one & other).sum() / (one | other).sum()
    assert iou > 0.95
    assert boundary_iou(one, other) < 0.65
    assert boundary_iou(one, one) == 1
    assert boundary_iou(one, ~one) == 0


def test_by_hand_on_a_small_square() -> None:
    one, other = np.zeros((5, 5), bool), np.zeros((5, 5), bool)
    one[1:4, 1:4] = other[1:4, 1:4] = True
    other[2, 2] = False
    # Both bands are the ring of eight pixels: the hole lies inside.
    assert boundary_iou(one, other) == 1
    other[1, 1] = False
    assert boundary_iou(one, other) == 7 / 8
