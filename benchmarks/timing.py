"""Medians of what is asked again and again."""

import statistics
from collections.abc import Callable

from benchmarks.decode import timed


def median_ms(ask: Callable[[], object], rounds: int) -> float:
    """Return the median of so many calls in milliseconds, to a hundredth."""
    return round(statistics.median(timed(ask) for _ in range(rounds)), 2)
