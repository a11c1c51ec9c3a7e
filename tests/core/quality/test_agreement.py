"""Agreement by hand on small grids, and what holds for any two annotators."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.quality.agreement import THRESHOLDS, agreement, assigned

Mask = NDArray[np.bool_]


def rectangle(y0: int, x0: int, y1: int, x1: int) -> Mask:
    mask = np.zeros((20, 20), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_the_same_masks_in_another_order_agree_wholly() -> None:
    masks = [rectangle(0, 0, 5, 5), rectangle(8, 8, 20, 20), rectangle(0, 10, 4, 18)]
    found = agreement(masks, masks[::-1])
    assert [(pair.ours, pair.theirs, pair.iou, pair.boundary_iou) for pair in found.pairs] == [
        (0, 2, 1, 1),
        (1, 1, 1, 1),
        (2, 0, 1, 1),
    ]
    assert (found.panoptic_quality, found.segmentation_quality, found.recognition_quality) == (1, 1, 1)
    assert set(found.f1.values()) == {1}
    assert found.disagreements == ()


def test_two_empty_images_agree_and_an_empty_one_misses_all_of_the_other() -> None:
    assert agreement([], []).panoptic_quality == 1
    found = agreement([rectangle(0, 0, 5, 5)], [])
    assert (found.panoptic_quality, found.recognition_quality, found.f1[0.5]) == (0, 0, 0)
    assert [(one.kind, one.ours, one.theirs) for one in found.disagreements] == [("missed", (0,), ())]


def test_panoptic_quality_by_hand() -> None:
    # 100 pixels against 80 of them: IoU 0.8. One more mask of ours, two more of theirs.
    ours = [rectangle(0, 0, 10, 10), rectangle(12, 0, 15, 3)]
    theirs = [rectangle(0, 0, 10, 8), rectangle(12, 12, 15, 15), rectangle(17, 12, 20, 15)]
    found = agreement(ours, theirs)
    assert found.segmentation_quality == pytest.approx(0.8)
    assert found.recognition_quality == pytest.approx(1 / (1 + 0.5 * 1 + 0.5 * 2))
    assert found.panoptic_quality == pytest.approx(0.8 * 0.4)
    assert found.f1[0.8] == pytest.approx(2 / 5)
    assert found.f1[0.85] == 0
    assert [(one.kind, one.ours, one.theirs) for one in found.disagreements] == [
        ("missed", (1,), ()),
        ("missed", (), (1,)),
        ("missed", (), (2,)),
        ("boundary", (0,), (0,)),
    ]


def test_one_mask_of_two_boots_against_a_mask_of_each_is_granularity() -> None:
    boots = rectangle(0, 0, 10, 5) | rectangle(0, 6, 10, 12)
    left, right = rectangle(0, 0, 10, 5), rectangle(0, 6, 10, 12)
    found = agreement([boots], [left, right])
    # The right boot is 60 of 110 pixels, so it matches; still the left one is not missed.
    assert [(one.kind, one.ours, one.theirs) for one in found.disagreements] == [("granularity", (0,), (0, 1))]
    turned = agreement([left, right], [boots])
    assert [(one.kind, one.ours, one.theirs) for one in turned.disagreements] == [("granularity", (0, 1), (0,))]


def test_a_whole_against_one_of_its_parts_is_granularity_and_a_tighter_outline_is_not() -> None:
    found = agreement([rectangle(0, 0, 20, 20)], [rectangle(2, 2, 8, 8)])
    assert [one.kind for one in found.disagreements] == ["granularity"]
    found = agreement([rectangle(0, 0, 20, 20)], [rectangle(1, 1, 18, 18)])
    assert [one.kind for one in found.disagreements] == ["boundary"]


def test_the_assignment_is_the_best_in_all_where_a_greedy_one_is_not() -> None:
    ious = np.array([[0.8, 0.75], [0.75, 0.3]])
    assert assigned(ious) == [(0, 1), (1, 0)]
    assert assigned(np.array([[0.49]])) == []


boxes = st.tuples(*[st.integers(0, 9)] * 2, *[st.integers(10, 20)] * 2).map(lambda box: rectangle(*box))


@given(st.lists(boxes, max_size=4), st.lists(boxes, max_size=4))
def test_agreement_is_mutual_and_every_mask_is_paired_or_explained(ours: list[Mask], theirs: list[Mask]) -> None:
    one, other = agreement(ours, theirs), agreement(theirs, ours)
    assert one.f1 == pytest.approx(other.f1)
    assert one.recognition_quality == pytest.approx(other.recognition_quality)
    assert all(one.f1[low] >= one.f1[high] for low, high in pairwise(THRESHOLDS))
    assert 0 <= one.panoptic_quality <= 1
    told = {index for found in one.disagreements for index in found.ours} | {pair.ours for pair in one.pairs}
    assert told == set(range(len(ours)))
