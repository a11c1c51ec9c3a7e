"""Outlines by hand: the pixels whose centres lie inside, wherever Fabric.js moved the shape."""

from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.outline import mask_of_paths, paths_of_drawing

CORNERS = [(2, 1), (8, 1), (8, 5), (2, 5)]
SHOWN = np.array(CORNERS, float)


def shape(**changes: Any) -> dict[str, Any]:
    """Return a polygon as Fabric.js describes it, without a stroke, its corners where they were drawn."""
    points = [{"x": x, "y": y} for x, y in CORNERS]
    return {"points": points, "left": 2, "top": 1, "width": 6, "height": 4, "strokeWidth": 0, **changes}


def shown(**changes: Any) -> np.ndarray:
    (path,) = paths_of_drawing({"objects": [shape(**changes)]})
    return path


def test_a_shape_at_rest_is_where_it_was_drawn() -> None:
    assert np.allclose(shown(), SHOWN)


def test_a_stroke_lies_half_outside_the_corners() -> None:
    assert np.allclose(shown(strokeWidth=2, left=1, top=0), SHOWN)


def test_a_shape_is_moved_scaled_and_flipped_as_shown() -> None:
    assert np.allclose(shown(left=12, top=31), np.add(SHOWN, (10, 30)))
    assert np.allclose(shown(scaleX=2, scaleY=3), (SHOWN - [2, 1]) * [2, 3] + [2, 1])
    assert np.allclose(shown(flipX=True), [[8, 1], [2, 1], [2, 5], [8, 5]])
    assert np.allclose(shown(flipY=True), [[2, 5], [8, 5], [8, 1], [2, 1]])


def test_a_shape_is_turned_about_its_place() -> None:
    assert np.allclose(shown(angle=90), [[2, 1], [2, 7], [-2, 7], [-2, 1]])
    assert np.allclose(shown(angle=180, originX="center", originY="center", left=5, top=3), SHOWN[[2, 3, 0, 1]])


def test_a_shape_hangs_from_its_origin() -> None:
    assert np.allclose(shown(originX="center", originY="center", left=5, top=3), SHOWN)
    assert np.allclose(shown(originX="right", originY="bottom", left=8, top=5), SHOWN)


@pytest.mark.parametrize(
    "drawing", [None, {}, {"objects": []}, {"objects": [{}]}, {"objects": [{"points": [{"x": 1, "y": 1}] * 2}]}]
)
def test_what_has_no_three_corners_is_no_path(drawing: dict[str, Any] | None) -> None:
    assert paths_of_drawing(drawing) == []


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
def test_a_mask_has_the_pixels_whose_centres_lie_inside(scale: float) -> None:
    mask = mask_of_paths([SHOWN * scale], shape_hw=(7, 10), scale=scale)
    expected = np.zeros((7, 10), bool)
    expected[1:5, 2:8] = True
    assert np.array_equal(mask, expected)


def test_several_paths_make_one_mask_and_may_leave_the_image() -> None:
    outside = np.array([[-5, -5], [1, -5], [1, 99], [-5, 99]], float)
    mask = mask_of_paths([SHOWN, outside], shape_hw=(7, 10), scale=1.0)
    assert mask[:, 0].all()
    assert mask.sum() == 24 + 7


def test_an_outline_must_be_closed_and_finite() -> None:
    with pytest.raises(InvalidInput, match="at least one closed path"):
        mask_of_paths([], shape_hw=(7, 10), scale=1.0)
    with pytest.raises(InvalidInput, match="must be finite"):
        mask_of_paths([SHOWN * np.nan], shape_hw=(7, 10), scale=1.0)
