"""GrabCut without weights: good on easy pictures, whole at every edge, and true to what was clicked."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.segmentation.grabcut import GrabCutSegmenter
from core.segmentation.protocol import Candidate, Point, Prompt, coarse_size

SEGMENTER = GrabCutSegmenter()


def disk(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> np.ndarray:
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    found: np.ndarray = (columns + 0.5 - centre[0]) ** 2 + (rows + 0.5 - centre[1]) ** 2 <= radius**2
    return found


def scene(truth: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return a bright disk on textured ground."""
    rng = np.random.default_rng(seed)
    height, width = truth.shape
    rows, columns = np.mgrid[0:height, 0:width]
    ground = 70 + 25 * np.sin(columns / 7) + 20 * np.sin(rows / 11)
    ground_rgb = np.stack([ground * 0.6, ground, ground * 0.8], axis=-1)
    image = np.where(truth[..., None], np.array([230.0, 190.0, 60.0]), ground_rgb) + rng.normal(0, 6, (*truth.shape, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


def ask(image: np.ndarray, prompt: Prompt, **options: object) -> list[Candidate]:
    checked = prompt.check(height=image.shape[0], width=image.shape[1])
    return SEGMENTER.decode(SEGMENTER.encode(image), checked, **options)  # type: ignore[arg-type]


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


DISKS = [
    ((400, 600), (300.0, 200.0), 90.0),
    ((900, 1400), (500.0, 420.0), 240.0),
    ((1200, 800), (400.0, 300.0), 120.0),
    ((200, 200), (100.0, 100.0), 40.0),
]


@pytest.mark.parametrize(("shape", "centre", "radius"), DISKS)
def test_one_click_on_a_disk_finds_it(shape: tuple[int, int], centre: tuple[float, float], radius: float) -> None:
    truth = disk(shape, centre, radius)
    found = ask(scene(truth), Prompt((Point(*centre, 1),)))
    assert len(found) == 3
    assert max(iou(candidate.mask(), truth) for candidate in found) > 0.9


@pytest.mark.parametrize(("shape", "centre", "radius"), DISKS)
@pytest.mark.parametrize("off", [(0.0, 0.0), (0.7, 0.0), (0.0, -0.9), (-0.65, 0.65), (1.5, 0.0)])
def test_the_clicked_pixel_is_in_every_candidate_and_a_background_clicks_in_none(
    shape: tuple[int, int], centre: tuple[float, float], radius: float, off: tuple[float, float]
) -> None:
    image = scene(disk(shape, centre, radius))
    x, y = centre[0] + off[0] * radius, centre[1] + off[1] * radius
    away = Point(centre[0] - 0.3 * radius, centre[1] - 0.3 * radius, 0)
    for candidate in ask(image, Prompt((Point(x, y, 1), away))):
        assert candidate.mask()[int(y), int(x)]
        assert not candidate.mask()[int(away.y), int(away.x)]


def test_a_box_around_a_disk_finds_it() -> None:
    truth = disk((400, 600), (300, 200), 90)
    found = ask(scene(truth), Prompt((), (200, 100, 400, 300)))
    assert iou(found[0].mask(), truth) > 0.9


def test_a_box_given_from_any_corner_is_the_same_box() -> None:
    image = scene(disk((400, 600), (300, 200), 90))
    one, other = ask(image, Prompt((), (200, 100, 400, 300))), ask(image, Prompt((), (400, 300, 200, 100)))
    assert np.array_equal(one[0].mask(), other[0].mask())


def test_nothing_outside_a_box_is_found() -> None:
    truth = disk((400, 600), (300, 200), 90)
    for candidate in ask(scene(truth), Prompt((), (220, 120, 380, 280))):
        rows, columns = np.nonzero(candidate.mask())
        assert rows.min() >= 120
        assert rows.max() < 280
        assert columns.min() >= 220
        assert columns.max() < 380


def test_refining_takes_the_chosen_candidate_along() -> None:
    truth = disk((400, 600), (180, 200), 80) | disk((400, 600), (430, 200), 80)
    image = scene(truth)
    first = ask(image, Prompt((Point(180, 200, 1),)))
    both = Prompt((Point(180, 200, 1), Point(430, 200, 1)))
    refined = ask(image, both, refine=first[0])
    assert max(iou(candidate.mask(), truth) for candidate in refined) > 0.9
    for candidate in refined:
        assert candidate.mask()[200, 180]
        assert candidate.mask()[200, 430]


def test_answers_are_the_same_every_time() -> None:
    image = scene(disk((400, 600), (300, 200), 90))
    prompt = Prompt((Point(300, 200, 1), Point(20, 20, 0)))
    answers = [ask(image, prompt) for _ in range(3)]
    for again in answers[1:]:
        for one, other in zip(answers[0], again, strict=True):
            assert np.array_equal(one.mask(), other.mask())
            assert one.predicted_iou == other.predicted_iou
            assert np.array_equal(one.low_res, other.low_res)


def test_a_preview_is_one_candidate() -> None:
    truth = disk((400, 600), (300, 200), 90)
    (found,) = ask(scene(truth), Prompt((Point(300, 200, 1),)), preview=True)
    assert found.coarse.shape == coarse_size((400, 600))
    assert found.coarse.sum() > 0
    (boxed,) = ask(scene(truth), Prompt((), (200, 100, 400, 300)), preview=True)
    assert iou(boxed.mask(), truth) > 0.9


SIZES = [(2, 2), (1, 1), (1, 300), (300, 1), (1, 1500), (1500, 1), (1500, 3), (3, 1500), (2, 700), (5, 4), (60, 1500)]


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("uniform", [True, False])
def test_pictures_of_any_shape_are_answered_at_their_own_size(shape: tuple[int, int], uniform: bool) -> None:
    height, width = shape
    rng = np.random.default_rng(1)
    image = np.full((*shape, 3), 90, np.uint8) if uniform else rng.integers(0, 256, (*shape, 3), np.uint8)
    prompts = [
        Prompt((Point(width / 2, height / 2, 1),)),
        Prompt((Point(0, 0, 1),)),
        Prompt((Point(width, height, 1),)),
        Prompt((Point(width, height, 0),)),
        Prompt((Point(0, height, 1), Point(width, 0, 0))),
        Prompt((), (0, 0, width, height)),
        Prompt((Point(width / 2, height / 2, 1),), (0, 0, width, height)),
    ]
    for prompt in prompts:
        found = ask(image, prompt)
        assert len(found) == 3
        whole(found, shape)
        whole(ask(image, prompt, preview=True), shape)
        whole(ask(image, prompt, refine=found[0]), shape)


def whole(found: list[Candidate], shape: tuple[int, int]) -> None:
    for candidate in found:
        assert candidate.mask().shape == shape
        assert candidate.mask().dtype == bool
        assert candidate.coarse.shape == coarse_size(shape)
        assert 0 <= candidate.predicted_iou <= 1
        assert 0 <= candidate.stability_score <= 1
        assert np.isfinite(candidate.low_res).all()


@pytest.mark.parametrize("at", [(600.0, 200.0), (300.0, 400.0), (600.0, 400.0), (0.0, 0.0)])
def test_a_click_on_the_border_counts_as_one_on_the_last_pixel(at: tuple[float, float]) -> None:
    image = scene(disk((400, 600), (300, 200), 90))
    x, y = min(int(at[0]), 599), min(int(at[1]), 399)
    for candidate in ask(image, Prompt((Point(*at, 1),))):
        assert candidate.mask()[y, x]


@pytest.mark.parametrize("shape", [(1500, 40), (40, 1500), (60, 1500), (1499, 90)])
def test_points_stay_where_they_were_set_in_very_long_pictures(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(2).integers(0, 60, (*shape, 3), np.uint8)
    along = max(shape)
    spot = slice(along - 300, along - 100)
    if shape[0] > shape[1]:
        image[spot] += 150
    else:
        image[:, spot] += 150
    y, x = (along - 200, shape[1] / 2) if shape[0] > shape[1] else (shape[0] / 2, along - 200)
    truth = image[..., 0] >= 150
    found = ask(image, Prompt((Point(x, y, 1),)))
    assert max(iou(candidate.mask(), truth) for candidate in found) > 0.8


@given(
    st.integers(2, 90),
    st.integers(2, 90),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=4),
    st.integers(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_any_points_on_any_picture_are_answered(
    height: int, width: int, drawn: list[tuple[float, float, int]], seed: int
) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    points = tuple(Point(x * width, y * height, label) for x, y, label in drawn)
    found = ask(image, Prompt(points))
    whole(found, (height, width))
    whole(ask(image, Prompt(points), refine=found[-1]), (height, width))


def test_who_insists_on_a_candidate_gets_what_grows_out_of_it_first() -> None:
    outer, inner = disk((400, 600), (300, 200), 150), disk((400, 600), (300, 200), 50)
    image = scene(outer)
    image[inner] = (200, 40, 60)
    prompt = Prompt((Point(300, 200, 1), Point(300, 320, 0)))
    small = np.where(cv2.resize(inner.astype(np.uint8), (384, 256)) > 0, 8.0, -8.0).astype(np.float32)
    chosen = replace(ask(image, prompt)[0], low_res=small)
    free, insisted = ask(image, prompt, refine=chosen), ask(image, prompt, refine=chosen, insist=True)
    assert iou(insisted[0].mask(), inner) > 0.9
    assert np.array_equal(free[0].mask(), ask(image, prompt)[0].mask())
