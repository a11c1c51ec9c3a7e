"""The pictures that reviewers judge, and what they draw on them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.markup import lines_of_drawing
from core.painted import Stroke
from core.review_views import CLOSE_SIDE, GREEN, INK, PURPLE, RED, SMALL_SIDE, WHITE, YELLOW, reaches, views, window

PHOTO = np.random.default_rng(0).integers(0, 255, (300, 500, 3)).astype(np.uint8)


def block(y0: int, x0: int, y1: int, x1: int, shape: tuple[int, int] = (300, 500)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_the_mask_alone_is_yellow_on_purple_and_the_photo_is_left_as_it_is() -> None:
    shown = views(PHOTO, block(100, 200, 200, 300))
    assert shown.image.shape[1] == shown.alone.shape[1] == SMALL_SIDE
    assert tuple(shown.alone[150 * SMALL_SIDE // 500, 250 * SMALL_SIDE // 500]) == YELLOW
    assert tuple(shown.alone[5, 5]) == PURPLE
    assert (shown.over[5:50, 5:50] == shown.image[5:50, 5:50]).all(), "outside the mask the photo is as it is"
    middle = shown.over[140, 240].astype(int)
    assert (middle - shown.image[140, 240].astype(int) @ np.eye(3, dtype=int) * 0.55)[0] == pytest.approx(
        0.45 * RED[0], abs=2
    )


def test_the_close_view_shows_prompts_neighbours_and_marks_where_they_are() -> None:
    mask = block(100, 200, 200, 300)
    x0, y0, x1, y1 = window(mask)
    assert (x0, y0, x1, y1) == (165, 65, 335, 235)
    zoom = CLOSE_SIDE / 170
    shown = views(PHOTO, mask, [block(80, 170, 90, 180)], [(250.0, 150.0, 1)], [[[180, 220], [320, 220]]])
    assert shown.close.shape[:2] == shown.close_over.shape[:2] == (CLOSE_SIDE, CLOSE_SIDE)

    def at(x: float, y: float) -> tuple[int, ...]:
        return tuple(int(value) for value in shown.close_over[round((y - y0) * zoom), round((x - x0) * zoom)])

    assert at(250, 150) == (50, 205, 90), "the prompt"
    assert at(250, 220) == INK, "the mark"
    edge = shown.close_over[round((85 - y0) * zoom), round((170 - x0) * zoom) - 2 : round((170 - x0) * zoom) + 3]
    assert (edge == (60, 150, 255)).all(axis=1).any(), "the neighbour's outline"


@given(
    st.integers(0, 90),
    st.integers(0, 110),
    st.integers(1, 90),
    st.integers(1, 120),
    st.sampled_from([(90, 120), (7, 5)]),
)
def test_a_window_lies_in_the_photo_and_holds_the_mask(
    y: int, x: int, height: int, width: int, shape: tuple[int, int]
) -> None:
    mask = block(y, x, y + height, x + width, shape)
    x0, y0, x1, y1 = window(mask)
    assert 0 <= x0 < x1 <= shape[1]
    assert 0 <= y0 < y1 <= shape[0]
    assert mask[y0:y1, x0:x1].sum() == mask.sum()
    shown = views(np.zeros((*shape, 3), np.uint8), mask)
    assert max(shown.close.shape[:2]) == CLOSE_SIDE


def test_a_drawn_line_is_told_in_the_photos_pixels() -> None:
    drawing = {
        "objects": [
            {"type": "path", "path": [["M", 10, 20], ["Q", 11, 21, 30, 40], ["L", 50, 60]]},
            {"type": "path", "path": [["M", 5, 5]]},
            {"type": "rect"},
        ]
    }
    assert lines_of_drawing(drawing, scale=2, origin=(100, 200)) == [[[105, 210], [115, 220], [125, 230]]]
    assert lines_of_drawing(None, scale=1, origin=(0, 0)) == []


@given(
    st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 30)] * 2),
    st.tuples(*[st.integers(0, 30)] * 2, *[st.integers(1, 30)] * 2),
)
def test_a_neighbour_reaches_into_the_view_if_it_shares_a_pixel(
    box: tuple[int, int, int, int], shown: tuple[int, int, int, int]
) -> None:
    ours, theirs = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    ours[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = True
    theirs[shown[1] : shown[1] + shown[3], shown[0] : shown[0] + shown[2]] = True
    corners = (shown[0], shown[1], shown[0] + shown[2], shown[1] + shown[3])
    assert reaches(box, corners) == bool((ours & theirs).any())


def test_the_close_view_shows_what_was_painted() -> None:
    mask = block(100, 200, 200, 300)
    plain = views(PHOTO, mask).close_over
    strokes = [Stroke(False, 9, ((180.0, 80.0), (320.0, 80.0))), Stroke(True, 9, ((180.0, 220.0), (320.0, 220.0)))]
    shown = views(PHOTO, mask, strokes=strokes).close_over
    zoom = CLOSE_SIDE / 170
    for y, colour in ((80, GREEN), (220, WHITE)):
        row, column = round((y - 65) * zoom), round((250 - 165) * zoom)
        assert np.abs(shown[row, column].astype(int) - colour).max() < 40
    changed = np.flatnonzero((shown != plain).any(axis=(1, 2)))
    assert len(changed) < 20, "the strokes' ways are drawn, not their widths"
