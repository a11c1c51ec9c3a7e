"""The robot that clicks: where it clicks, what counts, when it stops."""

import numpy as np
import pytest

from core.segmentation.protocol import Point
from core.training.protocol import box_ious, box_of, clicks_to, follow, iou, next_click
from tests.core.training.made import Constant, Improving, Oracle, disk, photo_of

NOTHING = np.zeros((9, 9), bool)


def block(rows: slice, columns: slice) -> np.ndarray:
    mask = NOTHING.copy()
    mask[rows, columns] = True
    return mask


def test_the_first_click_is_at_the_centre_of_the_object() -> None:
    assert next_click(NOTHING, block(slice(2, 7), slice(3, 8)), NOTHING, []) == Point(5.5, 4.5, 1)


def test_the_next_click_is_at_the_centre_of_the_larger_error() -> None:
    truth = block(slice(0, 9), slice(0, 4))
    missing, too_much = block(slice(0, 9), slice(0, 1)), block(slice(0, 9), slice(4, 9))
    assert next_click(truth & ~missing | too_much, truth, NOTHING, []) == Point(6.5, 2.5, 0)
    assert next_click(truth & ~missing, truth, NOTHING, []) == Point(0.5, 0.5, 1)


def test_what_lies_beyond_the_image_is_no_error() -> None:
    """An object at the edge is deepest inside the image, not at the edge."""
    assert next_click(NOTHING, block(slice(0, 9), slice(0, 3)), NOTHING, []) == Point(1.5, 1.5, 1)


def test_no_pixel_is_clicked_twice() -> None:
    truth = block(slice(3, 6), slice(3, 6))
    clicks: list[Point] = []
    while (point := next_click(NOTHING, truth, NOTHING, clicks)) is not None:
        clicks.append(point)
    assert clicks[0] == Point(4.5, 4.5, 1)
    assert len(set(clicks)) == len(clicks) == 9


def test_unsure_pixels_are_never_clicked_nor_counted() -> None:
    truth, unsure = block(slice(3, 6), slice(3, 6)), block(slice(0, 9), slice(6, 9))
    assert next_click(truth | unsure, truth, unsure, []) is None
    assert iou(truth | unsure, truth, unsure) == 1
    assert iou(truth | unsure, truth, NOTHING) == 9 / 36
    assert iou(block(slice(3, 6), slice(4, 6)), truth, unsure) == 6 / 9
    assert iou(NOTHING, NOTHING, NOTHING) == 1


@pytest.mark.parametrize("segmenter", [Constant(full=True), Constant(full=False), Oracle(), Improving()])
def test_whatever_is_drawn_under_unsure_pixels_changes_nothing(segmenter: Constant) -> None:
    unsure = np.zeros((100, 140), bool)
    unsure[:, 80:] = True
    made = photo_of("p", disk(50, 50, 30))
    embedding = segmenter.encode(made.pixels)
    truth = disk(50, 50, 30)
    one = follow(segmenter, embedding, truth & ~unsure, unsure, max_clicks=12)
    first = segmenter.prompts.copy()
    segmenter.prompts.clear()
    painted = made.pixels.copy()
    painted[:, 90:] = made.pixels[:, 90:] + 1
    other = follow(segmenter, segmenter.encode(painted), truth & ~unsure, unsure, max_clicks=12)
    assert (one.iou, one.best3, segmenter.prompts) == (other.iou, other.best3, first)
    assert not any(unsure[int(point.y), int(point.x)] for prompt in first for point in prompt.points)


def test_a_perfect_segmenter_needs_one_click() -> None:
    made, segmenter = photo_of("p", disk(70, 50, 30), disk(15, 15, 9)), Oracle()
    embedding, truth, unsure = segmenter.encode(made.pixels), disk(15, 15, 9), np.zeros((100, 140), bool)
    trace = follow(segmenter, embedding, truth, unsure, max_clicks=20)
    assert (trace.iou, trace.best3, trace.predictions) == ((1.0,), (1.0,), ((1.0, 1.0),) * 3)
    assert len(trace.click_ms) == 1
    assert box_ious(segmenter, embedding, truth, unsure) == (1, 1)


def test_a_full_mask_is_worth_the_objects_share() -> None:
    truth = np.zeros((100, 100), bool)
    truth[40:60, 40:60] = True
    segmenter = Constant(full=True)
    embedding = segmenter.encode(np.zeros((100, 100, 3), np.uint8))
    trace = follow(segmenter, embedding, truth, np.zeros((100, 100), bool), max_clicks=7)
    assert trace.iou == (0.04,) * 7
    assert [point.label for point in segmenter.prompts[-1].points] == [1] + [0] * 6
    half_known = np.zeros((100, 100), bool)
    half_known[60:] = True
    assert follow(segmenter, embedding, truth, half_known, max_clicks=1).iou == (400 / 6000,)


def test_an_empty_mask_is_worth_nothing() -> None:
    segmenter = Constant(full=False)
    embedding = segmenter.encode(np.zeros((100, 140, 3), np.uint8))
    trace = follow(segmenter, embedding, disk(70, 50, 30), np.zeros((100, 140), bool), max_clicks=20)
    assert (trace.iou, trace.best3) == ((0.0,) * 20, (0.0,) * 20)
    assert all(point.label == 1 for point in segmenter.prompts[-1].points)


def test_it_stops_where_more_clicks_change_no_figure() -> None:
    truth = np.zeros((100, 140), bool)
    truth[20:80, 20:120] = True
    made, segmenter = photo_of("p", truth), Improving()
    trace = follow(segmenter, segmenter.encode(made.pixels), truth, np.zeros((100, 140), bool), max_clicks=20)
    assert trace.iou == pytest.approx([n / 10 for n in range(1, 11)])
    assert len(trace.predictions) == 5 * 3
    assert [clicks_to(target, trace.iou, 20) for target in (0.8, 0.85, 0.9)] == [8, 9, 9]


def test_it_stops_where_an_annotator_is_content() -> None:
    truth = np.zeros((100, 140), bool)
    truth[20:80, 20:120] = True
    made, segmenter = photo_of("p", truth), Improving()
    embedding, unsure = segmenter.encode(made.pixels), np.zeros((100, 140), bool)
    trace = follow(segmenter, embedding, truth, unsure, max_clicks=20, enough=0.35)
    assert trace.iou == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_a_box_runs_around_its_pixels() -> None:
    assert box_of(block(slice(2, 3), slice(4, 9))) == (4, 2, 9, 3)
