"""Checks of a mask's outline: whether it is an object's, or noise, or a coarse grid's."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.quality.boxes import Box, Crop
from core.quality.flags import Flag, Subject

Points = NDArray[np.float64]
_SMOOTHING: Final = 4
"""Points on either side of each that its smoothed place is the mean of."""
_STRETCH: Final = 32
"""Points on either side that tell where an outline is roughest."""
_FEW: Final = 0.1
_MOST: Final = 0.75
"""Shares of short runs and of steps among all: a sloping edge has half of either, a coarse grid none and all."""


def rough(subject: Subject) -> Iterator[Flag]:
    """Say so if the outline is much longer than it would be if it were smooth."""
    # Smoothing shrinks small outlines whatever their shape, so only longer ones count.
    lines = [outline.line for outline in subject.outlines if len(outline.line) >= subject.limits.rough_outline]
    long = [line[:, 0].astype(np.float64) for line in lines]
    compared = [_lengths(outline) for outline in long]
    if not compared:
        return
    ratio = sum(float(one.sum()) for one, _ in compared) / sum(float(other.sum()) for _, other in compared)
    if ratio > subject.limits.roughness:
        yield Flag(
            "rough",
            "info",
            f"The outline is jagged: {ratio - 1:.0%} longer than a smooth one.",
            subject.placed(*_roughest(long, compared)),
            detail={"ratio": round(ratio, 3)},
        )


def _lengths(outline: Points) -> tuple[Points, Points]:
    """Return how far it is from each point of a closed outline to the next, as it is and once smoothed."""
    smooth = _mean_around(outline, _SMOOTHING)
    return _strides(outline), _strides(smooth)


def _strides(outline: Points) -> Points:
    along: Points = np.hypot(*np.diff(outline, axis=0, append=outline[:1]).T)
    return along


def _mean_around(values: Points, reach: int) -> Points:
    """Return the mean of each point and its neighbours to either side, round and round, shape as given."""
    window = 2 * reach + 1
    unrolled = np.concatenate([values[-reach - 1 :], values, values[:reach]])
    sums = unrolled.cumsum(axis=0)
    mean: Points = (sums[window:] - sums[:-window]) / window
    return mean


def _roughest(outlines: list[Points], compared: list[tuple[Points, Points]]) -> Box:
    """Return the box of the stretch that smoothing shortens most."""
    best, box = 0.0, (0, 0, 0, 0)
    for outline, (plain, smooth) in zip(outlines, compared, strict=True):
        ratios = _mean_around(plain, _STRETCH) / np.maximum(_mean_around(smooth, _STRETCH), 1e-6)
        at = int(ratios.argmax())
        if ratios[at] > best:
            stretch = outline[np.arange(at - _STRETCH, at + _STRETCH + 1) % len(outline)]
            (x, y), (right, bottom) = stretch.min(axis=0), stretch.max(axis=0)
            best, box = float(ratios[at]), (int(x), int(y), int(right - x) + 1, int(bottom - y) + 1)
    return box


def stairs(subject: Subject) -> Iterator[Flag]:
    """Say so if the outline climbs in equal steps, as a mask enlarged from a coarse grid does."""
    limits = subject.limits
    across, along = _runs(subject.crop), _runs(subject.crop.T)
    lengths = np.concatenate([across[0], along[0]])
    climbing = np.concatenate([across[1], along[1]])
    long = lengths >= limits.step
    if lengths.size < limits.steps or (~long).mean() > _FEW or (long & climbing).mean() < _MOST:
        return
    step = int(np.median(lengths[climbing]))
    yield Flag(
        "stairs",
        "info",
        f"The outline climbs in steps of about {step} pixels: the mask was perhaps enlarged from a smaller one.",
        subject.box,
        detail={"step": step, "runs": int(lengths.size)},
    )


def _runs(crop: Crop) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the straight runs of the outline along the rows: how long, and whether they are steps.

    At the ends of a step the outline turns to different sides, at those of a spike's tip to the same.
    """
    change = np.diff(crop.astype(np.int8), axis=0)
    before = np.pad(change, ((0, 0), (1, 0)))[:, :-1]
    after = np.pad(change, ((0, 0), (0, 1)))[:, 1:]
    rows, first = np.nonzero((change != 0) & (change != before))
    _, last = np.nonzero((change != 0) & (change != after))
    outer = np.where(change[rows, first] > 0, rows, rows + 1)
    # The crop's margin is no mask's, so no run reaches the first or last column.
    turns_out, turns_in = crop[outer, first - 1] > 0, crop[outer, last + 1] > 0
    return last - first + 1, turns_out != turns_in
