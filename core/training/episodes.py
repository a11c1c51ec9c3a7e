"""From scenes to what is practised on them: views, first clicks with their three right answers, and corrections."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.training.scenes import Scene

LEVELS: Final = 3
LEVEL_SHARES: Final = (0.1, 0.15, 0.75)
"""How often the annotator means the subpart, the part or the whole."""
LEAST_PIXELS: Final = 40
MOST_SHARE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Practice:
    """One view of a scene with some objects to be found in it.

    Attributes
    ----------
    image : ndarray of uint8, shape (S, S, 3)
    valid : ndarray of bool, shape (S, S)
        Where there is a photo: the rest is padding.
    answers : ndarray of bool, shape (K, 3, S, S)
        The subpart, part and whole under each first click.
    clicks : ndarray of float32, shape (K, 2)
        First clicks as (x, y).
    meant : ndarray of int64, shape (K,)
        Which of the three the annotator means.
    """

    image: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    answers: NDArray[np.bool_]
    clicks: NDArray[np.float32]
    meant: NDArray[np.int64]


def practice(scene: Scene, *, side: int, objects: int, rng: np.random.Generator) -> Practice | None:
    """Return a random view of a scene with `objects` first clicks, or None if it shows too little."""
    image, marks = _view(scene, side, rng)
    valid = np.ones((side, side), bool)
    if rng.random() < 0.6:
        edge = int(side * rng.uniform(0.6, 0.97))
        if rng.random() < 0.5:
            valid[edge:] = False
        else:
            valid[:, edge:] = False
    seen = np.where(valid, marks[0], 0)
    numbers, counts = np.unique(seen[seen > 0], return_counts=True)
    numbers = numbers[counts > LEAST_PIXELS]
    if not len(numbers):
        return None
    answers, clicks, meant = [], [], []
    for _ in range(4 * objects):
        whole = seen == rng.choice(numbers)
        if whole.sum() > MOST_SHARE * side * side:
            continue
        level = int(rng.choice(LEVELS, p=LEVEL_SHARES))
        place = _first_click(whole, marks, level, rng)
        if place is None:
            continue
        y, x = place
        part = whole & (marks[1] == marks[1][y, x])
        answers.append(np.stack([part & (marks[2] == marks[2][y, x]), part, whole]))
        clicks.append((x + 0.5, y + 0.5))
        meant.append(level)
        if len(clicks) == objects:
            return Practice(image, valid, np.stack(answers), np.array(clicks, np.float32), np.array(meant))
    return None


def _view(scene: Scene, side: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a crop of a scene, turned and toned, with its three maps of marks, shape (3, side, side)."""
    full = scene.image.shape[0]
    size = int(full * np.exp(rng.uniform(np.log(0.55), 0)))
    y, x = (int(value) for value in rng.integers(0, full - size + 1, 2))
    image: NDArray[Any] = scene.image[y : y + size, x : x + size]
    image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if size > side else cv2.INTER_LINEAR)
    maps = (scene.objects, scene.parts, scene.subparts)
    cropped = [one[y : y + size, x : x + size] for one in maps]
    marks = np.stack([cv2.resize(one, (side, side), interpolation=cv2.INTER_NEAREST) for one in cropped])
    if rng.random() < 0.5:
        image, marks = image[:, ::-1], marks[:, :, ::-1]
    if rng.random() < 0.25:
        turns = int(rng.integers(1, 4))
        image, marks = np.rot90(image, turns), np.rot90(marks, turns, (1, 2))
    toned = image.astype(np.float32) * rng.uniform(0.8, 1.2, 3).astype(np.float32) + np.float32(rng.uniform(-20, 20))
    return toned.clip(0, 255).astype(np.uint8), np.ascontiguousarray(marks)


def _first_click(
    whole: NDArray[np.bool_], marks: NDArray[np.uint8], level: int, rng: np.random.Generator
) -> tuple[int, int] | None:
    """Return where the annotator clicks first, as (row, column): mostly well inside what is meant."""
    target = whole
    for depth in range(1, LEVELS - level):
        inside = marks[depth][target]
        if not len(inside):
            return None
        target = target & (marks[depth] == rng.choice(inside))
    if target.sum() < LEAST_PIXELS:
        return None
    return deep_place(target, rng)


def deep_place(area: NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int]:
    """Return a place (row, column) in an area: half of the time near its deepest point, else anywhere but the rim."""
    depth = cv2.distanceTransform(np.pad(area.astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    least = depth.max() * (0.9 if rng.random() < 0.5 else 0.25)
    places = np.flatnonzero(depth >= max(least, 1e-6))
    if not len(places):
        return area.shape[0] // 2, area.shape[1] // 2
    row, column = np.unravel_index(int(rng.choice(places)), area.shape)
    return int(row), int(column)


def correction(mask: NDArray[np.bool_], truth: NDArray[np.bool_], rng: np.random.Generator) -> tuple[float, float, int]:
    """Return the next click (x, y, label): in the larger of what is missing and what is too much."""
    missing, extra = truth & ~mask, mask & ~truth
    area, label = (missing, 1) if missing.sum() >= extra.sum() else (extra, 0)
    if not area.any():
        area, label = truth, 1
    row, column = deep_place(area, rng)
    return column + 0.5, row + 0.5, label
