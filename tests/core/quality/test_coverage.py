"""What is left on a photo, against cases drawn by hand on 20 x 20 dots."""

import numpy as np
import pytest

from core.quality.coverage import (
    Limits,
    Proposal,
    covered,
    distinct,
    grid,
    matches,
    plausible,
    sides_reached,
    survey,
)

ANY = Limits(predicted_iou=0.5, stability=0.5, least_share=0.005, most_share=0.5, clear_iou=0.9)


def box(x: int, y: int, width: int, height: int) -> np.ndarray:
    mask = np.zeros((20, 20), bool)
    mask[y : y + height, x : x + width] = True
    return mask


def proposed(mask: np.ndarray, predicted_iou: float = 0.8, stability: float = 0.9) -> Proposal:
    return Proposal(mask, predicted_iou, stability)


OBJECT = box(2, 2, 6, 6)


@pytest.mark.parametrize(
    ("what", "proposal", "taken"),
    [
        ("sure, and as large as an object", proposed(OBJECT), True),
        ("not sure", proposed(OBJECT, 0.49), False),
        ("unstable", proposed(OBJECT, 0.8, 0.49), False),
        ("a speck", proposed(box(0, 0, 1, 1)), False),
        ("more than half of the photo", proposed(box(1, 1, 18, 18)), False),
        ("a frame around everything", proposed(box(0, 0, 20, 20) & ~box(1, 1, 18, 18)), False),
        ("at one side only", proposed(box(0, 5, 4, 6)), True),
        ("in a corner", proposed(box(0, 14, 4, 6)), False),
        ("in a corner, and clear", proposed(box(0, 14, 4, 6), 0.95), True),
    ],
)
def test_proposals_must_look_like_objects(what: str, proposal: Proposal, taken: bool) -> None:
    assert plausible(proposal, ANY) is taken, what


def test_the_sides_that_a_mask_reaches_are_counted() -> None:
    assert [sides_reached(box(*each)) for each in ((1, 1, 5, 5), (0, 1, 5, 5), (0, 0, 20, 5), (0, 0, 20, 20))] == [
        0,
        1,
        3,
        4,
    ]


def test_of_two_proposals_of_one_object_the_surer_stays() -> None:
    loose, tight, other = proposed(box(2, 2, 7, 6), 0.7), proposed(OBJECT, 0.9), proposed(box(12, 12, 5, 5), 0.6)
    assert distinct([other, loose, tight], 0.5) == [tight, other]
    apart = proposed(box(5, 2, 6, 6), 0.7)  # a third in common with the tight one
    assert distinct([tight, apart], 0.5) == [tight, apart]
    assert distinct([], 0.5) == []


@pytest.mark.parametrize(
    ("what", "proposal", "accepted", "is_covered"),
    [
        ("nothing accepted", proposed(OBJECT), [], False),
        ("elsewhere", proposed(OBJECT), [box(12, 12, 5, 5)], False),
        ("the same object, IoU 24/36", proposed(OBJECT), [box(2, 2, 6, 4)], True),
        ("IoU 12/36 only", proposed(OBJECT), [box(2, 2, 6, 2)], False),
        ("inside one of like size", proposed(box(2, 2, 6, 3), 0.99), [OBJECT], True),
        ("an unclear part of a whole", proposed(box(3, 3, 2, 2), 0.8), [box(2, 2, 10, 10)], True),
        ("a clear object in front of a whole", proposed(box(3, 3, 2, 2), 0.95), [box(2, 2, 10, 10)], False),
        ("a whole whose two halves are drawn", proposed(OBJECT), [box(2, 2, 3, 6), box(5, 2, 3, 6)], True),
        ("a whole of which two strips are drawn", proposed(OBJECT), [box(2, 2, 2, 6), box(6, 2, 2, 6)], False),
    ],
)
def test_what_counts_as_covered(what: str, proposal: Proposal, accepted: list[np.ndarray], is_covered: bool) -> None:
    assert covered(proposal, accepted, ANY) is is_covered, what


def test_a_survey_counts_what_is_left_and_what_no_mask_covers() -> None:
    proposals = [
        proposed(OBJECT, 0.9),
        proposed(box(2, 2, 6, 5), 0.8),
        proposed(box(12, 12, 4, 4)),
        proposed(OBJECT, 0.1),
    ]
    found = survey(proposals, [box(12, 12, 4, 5)], ANY)
    assert (found.masks, found.proposals) == (1, 2)
    assert found.left == (proposals[0],)
    assert found.uncovered == pytest.approx(1 - 20 / 400)
    assert found.score == 0.5


@pytest.mark.parametrize(
    ("masks", "left", "score"), [((), (), 1.0), ((OBJECT,), (), 1.0), ((), (proposed(OBJECT),), 0.0)]
)
def test_scores_at_the_ends(masks: tuple[np.ndarray, ...], left: tuple[Proposal, ...], score: float) -> None:
    found = survey(left, list(masks), ANY)
    assert (found.score, found.uncovered) == (score, 1 - sum(mask.sum() for mask in masks) / 400)


def test_a_box_is_told_in_shares_of_the_photo() -> None:
    assert proposed(box(5, 10, 10, 5)).box() == (0.25, 0.5, 0.75, 0.75)
    assert proposed(np.zeros((20, 20), bool)).box() == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("size", [1, 2, 3, 6, 8, 16])
def test_a_grid_has_each_point_once_and_is_even_from_the_start(size: int) -> None:
    points = grid(size)
    cells = {(round(x * size - 0.5), round(y * size - 0.5)) for x, y in points}
    assert len(points) == len(cells) == size * size
    if size in (8, 16):
        quarters = {(x > 0.5, y > 0.5) for x, y in points[:4]}
        assert len(quarters) == 4


@pytest.mark.parametrize(
    ("proposals", "truths", "pairs"),
    [
        ([], [OBJECT], 0),
        ([proposed(OBJECT)], [], 0),
        ([proposed(OBJECT)], [box(2, 2, 6, 4), box(12, 12, 4, 4)], 1),
        ([proposed(OBJECT), proposed(box(2, 2, 6, 5))], [OBJECT], 1),
        ([proposed(box(2, 2, 6, 2))], [OBJECT], 0),
    ],
)
def test_proposals_and_known_objects_are_paired_once(
    proposals: list[Proposal], truths: list[np.ndarray], pairs: int
) -> None:
    assert matches(proposals, truths) == pairs
