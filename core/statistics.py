"""Means and shares with their intervals."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES: Final = 2000
Z95: Final = 1.959964
"""Of the normal distribution: what lies within so many deviations of the mean is 95 %."""
_BLOCK: Final = 200


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


def intervals(table: Floats, images: Sequence[str], *, seed: int) -> list[Interval]:
    """Return the mean of each column and the middle 95 % of its bootstrap resamples.

    Parameters
    ----------
    table : ndarray, shape (objects, figures)
    images : sequence of str
        The image of each object. Resamples are of images with all their objects: those of one photo are alike, and
        drawing them one by one would claim too much.
    """
    numbers = numbered(images)
    count = int(numbers.max()) + 1
    sums = np.zeros((count, table.shape[1]))
    np.add.at(sums, numbers, table)
    objects = np.bincount(numbers, minlength=count)
    means = np.concatenate([weights @ sums / (weights @ objects)[:, None] for weights in resamples(count, seed)])
    bounds = np.percentile(means, [2.5, 97.5], axis=0)
    columns = zip(table.mean(axis=0), *bounds, strict=True)
    return [Interval(float(mean), float(low), float(high)) for mean, low, high in columns]


def resamples(count: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield how often each of `count` things is in each of 2000 resamples, in blocks of shape (200, count).

    In blocks, for thousands of things times thousands of resamples would be felt.
    """
    rng = np.random.default_rng(seed)
    for _ in range(RESAMPLES // _BLOCK):
        yield rng.multinomial(count, np.full(count, 1 / count), size=_BLOCK)


def numbered(names: Sequence[str]) -> NDArray[np.intp]:
    """Return a number from 0 on for each name, the same for the same name."""
    return np.unique(np.array(names), return_inverse=True)[1].reshape(-1)


def wilson(share: float, count: float) -> Interval:
    """Return a share of `count` things with Wilson's 95 % score interval (Wilson, 1927), which holds near 0 and 1 too.

    Nothing counted tells nothing: 0 to 1.

    Examples
    --------
    >>> [round(value, 3) for value in (wilson(0.94, 120).low, wilson(0.94, 120).high)]
    [0.882, 0.97]
    """
    if count <= 0:
        return Interval(share, 0.0, 1.0)
    spread = Z95 * math.sqrt(share * (1 - share) / count + Z95**2 / (4 * count**2))
    centre, scale = share + Z95**2 / (2 * count), 1 + Z95**2 / count
    return Interval(share, max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale))


def ratio_of_means(above: tuple[float, float, float], below: tuple[float, float, float]) -> Interval | None:
    """Return the ratio of two means with a 95 % interval, from counts, sums and sums of squares of positive numbers.

    The interval is that of the logarithm of the ratio by the delta method (Oehlert, 1992); None if a mean is 0.

    Examples
    --------
    >>> found = ratio_of_means((100, 1000, 10_400), (100, 500, 2_600))
    >>> round(found.mean, 2), round(found.low, 2), round(found.high, 2)
    (2.0, 1.89, 2.11)
    """
    (n, total, squares), (m, other_total, other_squares) = above, below
    if min(total, other_total) <= 0:
        return None
    ratio = (total / n) / (other_total / m)

    def relative_variance(count: float, total: float, squares: float) -> float:
        mean = total / count
        variance = max(0.0, squares / count - mean**2) * count / max(1, count - 1)
        return variance / (count * mean**2)

    spread = math.sqrt(relative_variance(n, total, squares) + relative_variance(m, other_total, other_squares))
    return Interval(ratio, ratio * math.exp(-Z95 * spread), ratio * math.exp(Z95 * spread))
