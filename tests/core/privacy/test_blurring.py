"""What is in a box is gone; what is not is as it was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.privacy.blurring import CELLS, LEVELS, blurred, reach

HEIGHT, WIDTH = 60, 80
side = st.floats(-120, 200, allow_nan=False)
boxes = st.tuples(side, side, st.floats(0.5, 150), st.floats(0.5, 150)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
NOISE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def inside(box: tuple[float, ...], *, whole: bool) -> np.ndarray:
    """Return which pixels lie in a box: with `whole` wholly, else at all."""
    x, y = np.arange(WIDTH), np.arange(HEIGHT)[:, None]
    if whole:
        return (x >= box[0]) & (x + 1 <= box[2]) & (y >= box[1]) & (y + 1 <= box[3])
    return (x + 1 > box[0]) & (x < box[2]) & (y + 1 > box[1]) & (y < box[3])


@given(st.lists(boxes, max_size=4))
def test_nothing_outside_changes_and_nothing_is_changed_in_place(several: list[tuple[float, ...]]) -> None:
    before = NOISE.copy()
    made = blurred(NOISE, several)  # type: ignore[arg-type]
    assert (NOISE == before).all()
    outside = ~np.any([inside(reach(box), whole=False) for box in several], axis=0) if several else np.s_[:]  # type: ignore[arg-type]
    assert (made[outside] == NOISE[outside]).all()
    assert made.shape == NOISE.shape
    assert (blurred(NOISE, several[::-1]) == made).all()  # type: ignore[arg-type]


@given(boxes)
def test_of_a_box_only_a_few_rounded_averages_are_left(box: tuple[float, float, float, float]) -> None:
    """Whatever is at the pixels' places: photos alike in their averages come out as one."""
    here = inside(box, whole=True)
    made = blurred(NOISE, [box])
    if not here.any():
        return
    outer = reach(box)
    x0, y0 = max(0, int(np.floor(outer[0]))), max(0, int(np.floor(outer[1])))
    x1, y1 = min(WIDTH, int(np.ceil(outer[2]))), min(HEIGHT, int(np.ceil(outer[3])))
    flat = NOISE.copy()
    flat[y0:y1, x0:x1] = 128
    steps = np.abs(np.diff(made.astype(int), axis=1))[here[:, 1:] & here[:, :-1]]
    # Noise differs by 85 from pixel to pixel; what is left of it goes over smoothly.
    assert steps.size == 0 or steps.mean() < 12
    assert np.abs(blurred(flat, [box])[here].astype(int) - 128).max() <= 256 // LEVELS


def test_pixels_that_change_places_within_an_average_change_nothing() -> None:
    box = (20.0, 10.0, 60.0, 50.0)
    outer = [round(value) for value in reach(box)]
    assert outer == [12, 2, 68, 58]
    cell = (outer[2] - outer[0]) // CELLS
    assert cell * CELLS == outer[2] - outer[0]
    other = NOISE.copy()
    for y in range(outer[1], outer[3], cell):
        for x in range(outer[0], outer[2], cell):
            other[y : y + cell, x : x + cell] = other[y : y + cell, x : x + cell][::-1, ::-1]
    here = inside(box, whole=True)
    assert (other[here] != NOISE[here]).mean() > 0.9
    assert (blurred(other, [box])[here] == blurred(NOISE, [box])[here]).all()


def test_a_small_box_keeps_one_colour() -> None:
    made = blurred(NOISE, [(30, 30, 35, 34)])[30:34, 30:35]
    assert (made == made[0, 0]).all()
    assert (made[0, 0] % (256 // LEVELS) == 256 // LEVELS // 2).all()


def test_blurring_again_with_no_box_is_the_photo() -> None:
    assert (blurred(NOISE, []) == NOISE).all()
