"""From which predicted IoU on a model can be believed, as audits tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.statistics import Interval, wilson

WANTED: Final = 0.94
"""Share of good masks wanted above the limit: SA-1B's own quality (Kirillov et al., arXiv 2304.02643, section 5)."""
LEAST: Final = 50
"""Fewer judged masks tell nothing."""
LEAST_ABOVE: Final = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """A mask that was judged: its predicted IoU, whether it is good, and for how many masks it stands."""

    predicted_iou: float
    good: bool
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A limit of predicted IoU, the share of good masks from it on, and how many masks that was learned from."""

    limit: float
    good: Interval
    count: int


def calibrated(judged: Sequence[Judged], *, wanted: float = WANTED) -> Calibrated | None:
    """Return the lowest predicted IoU from which on the wanted share of masks is good.

    None where fewer than 50 masks were judged, or where no 20 of the highest reach that share: the model's word then
    separates nothing.

    Parameters
    ----------
    judged : sequence of Judged
        A random sample, weights being one over the chances of its masks.
    """
    if len(judged) < LEAST:
        return None
    order = sorted(judged, key=lambda one: -one.predicted_iou)
    scores = np.array([one.predicted_iou for one in order])
    weights = np.array([one.weight for one in order])
    good = np.array([one.good for one in order], float)
    total = np.cumsum(weights)
    shares = np.cumsum(weights * good) / total
    # Masks of one score stand or fall together.
    last = np.append(scores[1:] < scores[:-1], True)
    enough = np.flatnonzero(last & (shares >= wanted) & (np.arange(len(order)) + 1 >= LEAST_ABOVE))
    if not enough.size:
        return None
    at = int(enough[-1])
    worth = float(total[at] ** 2 / (weights[: at + 1] ** 2).sum())
    return Calibrated(float(scores[at]), wilson(float(shares[at]), worth), len(judged))
