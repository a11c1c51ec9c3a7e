"""Jagged outlines and stairs, on made shapes whose noise is known."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.quality.checks import Limits
from tests.core.quality.conftest import ALL, blank, block, disk, drawn, reported, turned


def frayed(mask: np.ndarray, by: float, seed: int = 0) -> np.ndarray:
    """Return a mask whose edge each pixel has moved by up to so many pixels, at random."""
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    noise = np.random.default_rng(seed).uniform(-by, by, mask.shape)
    return inside - outside + noise > 0


def ring(gap_degrees: int = 60) -> np.ndarray:
    """Return a thick letter C."""
    return cv2.ellipse(blank(), (300, 200), (150, 120), 0, 0, 360 - gap_degrees, 1, 40) > 0


def star(points: int = 12) -> np.ndarray:
    angles = np.arange(2 * points) * np.pi / points
    radii = np.where(np.arange(2 * points) % 2, 80, 170)
    corners = np.stack([300 + radii * np.cos(angles), 200 + radii * np.sin(angles)], axis=1)
    return cv2.fillPoly(blank(), [corners.astype(np.int32)], 1) > 0


def enlarged(mask: np.ndarray, by: int) -> np.ndarray:
    """Return a mask as one of a grid so many times coarser, blown up without smoothing."""
    small = cv2.resize(mask.astype(np.float32), None, fx=1 / by, fy=1 / by, interpolation=cv2.INTER_AREA) > 0.5
    size = (mask.shape[1], mask.shape[0])
    return cv2.resize(small.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0


SMOOTH = [disk(), disk(20), turned(7), turned(20), turned(33), turned(45), turned(20, (300, 5)), ring(), star()]


@pytest.mark.parametrize("mask", SMOOTH)
def test_smooth_shapes_are_neither_rough_nor_stairs(mask: np.ndarray) -> None:
    said = reported(mask, limits=Limits(min_area=0, roughness=1.2))
    assert not {"rough", "stairs"} & set(said)


@pytest.mark.parametrize("mask", [disk(), turned(20), ring(), star()])
@pytest.mark.parametrize("by", [2.0, 3.0, 5.0])
def test_a_frayed_outline_is_rough(mask: np.ndarray, by: float) -> None:
    flag = reported(frayed(mask, by))["rough"]
    assert (flag.severity, flag.fix) == ("info", None)
    assert flag.detail["ratio"] > 1.3


def test_a_pixel_here_and_there_is_not_rough() -> None:
    assert "rough" not in reported(frayed(disk(), 1.0))


def test_the_box_is_where_it_is_roughest() -> None:
    half = np.where(np.arange(600) < 300, frayed(disk(), 5.0), disk())
    x, _, width, _ = reported(half, limits=Limits(min_area=0, roughness=1.2))["rough"].box or (0, 0, 0, 0)
    assert x + width <= 301


@given(st.integers(0, 50), st.sampled_from([np.fliplr, np.flipud, np.transpose]), st.sampled_from([1.0, 3.0]))
def test_roughness_is_the_same_in_the_mirror(seed: int, turn: np.ufunc, by: float) -> None:
    mask = frayed(disk(40), by, seed)
    limits = Limits(min_area=0, roughness=0.0)
    one, other = (reported(each, limits=limits)["rough"].detail["ratio"] for each in (mask, turn(mask)))
    assert one == pytest.approx(other, abs=2e-3)


def test_a_short_outline_is_left_alone() -> None:
    assert "rough" not in reported(drawn("#.#.#.", "######", ".#.#.#"))


@pytest.mark.parametrize("mask", [disk(), turned(20), ring(), star()])
@pytest.mark.parametrize("by", [3, 4, 6])
def test_a_mask_enlarged_from_a_coarse_grid_climbs_in_stairs(mask: np.ndarray, by: int) -> None:
    flag = reported(enlarged(mask, by))["stairs"]
    assert by <= flag.detail["step"] <= 2 * by
    assert "stairs" in reported(np.rot90(enlarged(mask, by)))


def test_blocks_combs_and_noise_are_no_stairs() -> None:
    comb = block(50, 300, 400, 20)
    for tooth in range(20):
        comb |= block(50 + 20 * tooth, 100, 10, 220)
    fence = ~np.logical_or.reduce([block(20 + 40 * x, 20 + 40 * y, 20, 20) for x in range(13) for y in range(8)])
    for mask in (block(100, 100, 200, 100), comb, fence, frayed(disk(), 4.0), disk(5)):
        assert "stairs" not in reported(mask, limits=ALL)
