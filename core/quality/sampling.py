"""Which masks an audit looks at, with what chance each was drawn, and what the looked-at say of all."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.stats import binom

from core.errors import InvalidInput
from core.statistics import Floats, Interval, wilson

Standing = Literal["goes on", "holds", "fails"]
MOST_FAILURES: Final = 100


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mask in a sample, and with what chance, in (0, 1], it came to be there."""

    mask_id: int
    chance: float


def simple(ids: Sequence[int], count: int, rng: np.random.Generator) -> list[Drawn]:
    """Return so many masks, all with the same chance, in random order; all of them if there are fewer."""
    taken = min(count, len(ids))
    if not taken:
        return []
    return [Drawn(ids[int(index)], taken / len(ids)) for index in rng.choice(len(ids), taken, replace=False)]


def stratified(strata: Iterable[Sequence[int]], count: int, rng: np.random.Generator) -> list[Drawn]:
    """Return about so many masks, from each stratum in its share and one at least, in random order.

    Parameters
    ----------
    strata : iterable of sequence of int
        The masks of each stratum: of an annotator, a size, a model version.
    """
    groups = list(strata)
    total = sum(map(len, groups))
    drawn = [one for group in groups for one in simple(group, max(1, round(count * len(group) / total)), rng)]
    return [drawn[int(index)] for index in rng.permutation(len(drawn))]


def by_risk(ids: Sequence[int], risks: Sequence[float], count: int, rng: np.random.Generator) -> list[Drawn]:
    """Return so many masks, those of higher risk with a higher chance, in random order.

    Each mask's chance is exactly what is said: systematic sampling in proportion to risk from a random order (Madow,
    1949). A risk so high that its chance would be above 1 is drawn for sure, and the others share what is left.

    Parameters
    ----------
    ids, risks : sequence of int, of float
        Masks and the risk of each, more than 0.
    """
    chances = _chances(np.asarray(risks, float), min(count, len(ids)))
    order = rng.permutation(len(ids))
    ends = np.cumsum(chances[order])
    ticks = rng.random() + np.arange(round(float(ends[-1])) if len(ids) else 0)
    hit = np.minimum(np.searchsorted(ends, ticks, side="right"), max(0, len(ids) - 1))
    chosen = order[np.unique(hit)]
    return [Drawn(ids[index], float(chances[index])) for index in rng.permutation(chosen)]


def _chances(risks: Floats, count: int) -> Floats:
    """Return chances in proportion to risks that add up to `count`, none above 1."""
    chances = np.zeros_like(risks)
    sure = np.zeros(len(risks), bool)
    while True:
        left = count - int(sure.sum())
        open_risks = np.where(sure, 0.0, risks)
        total = open_risks.sum()
        chances = np.where(sure, 1.0, left * open_risks / total if total > 0 else 0.0)
        over = (chances > 1) & ~sure
        if not over.any():
            return chances
        sure |= over


def estimated_share(values: Sequence[bool], chances: Sequence[float], population: int) -> Interval:
    """Return the share of all masks for which something holds, from those looked at, with a 95 % interval.

    The estimate is Horvitz and Thompson's (1952): each looked-at mask stands for as many as its chance says, so it is
    unbiased however unequal the chances. The interval is Wilson's for as many masks as the weights are worth
    (Kish, 1965: squared sum over sum of squares).

    Parameters
    ----------
    values : sequence of bool
        Whether it holds, for each mask that was looked at.
    chances : sequence of float
        With what chance each came to be looked at.
    population : int
        How many masks there are in all.
    """
    if not values:
        return wilson(0.0, 0)
    weights = 1 / np.array(chances, float)
    share = float((weights * np.array(values, float)).sum()) / population
    worth = float(weights.sum() ** 2 / (weights**2).sum())
    return wilson(min(1.0, share), worth)


@dataclass(frozen=True, slots=True)
class AcceptancePlan:
    """When an audit may end: with how many masks looked at, of which so many at most are wrong.

    Passing says, with the confidence asked for, that fewer than `limit` of all masks are wrong.
    """

    limit: float
    confidence: float
    failures: int
    size: int


def acceptance_plan(*, limit: float, confidence: float, failures: int) -> AcceptancePlan:
    """Return the smallest sample that proves a share of wrong masks below a limit, with so many failures allowed.

    Raises
    ------
    InvalidInput
        If limit or confidence are no shares, or too many failures are allowed.

    Examples
    --------
    >>> acceptance_plan(limit=0.05, confidence=0.95, failures=0).size
    59
    """
    if not (0 < limit < 1 and 0 < confidence < 1 and 0 <= failures <= MOST_FAILURES):
        raise InvalidInput(
            f"a plan must have a limit and a confidence between 0 and 1 and at most {MOST_FAILURES} failures, "
            f"got {limit}, {confidence} and {failures}"
        )

    def proves(size: int) -> bool:
        return bool(binom.cdf(failures, size, limit) <= 1 - confidence)

    high = failures + 1
    while not proves(high):
        high *= 2
    size = bisect_left(range(high + 1), True, lo=failures + 1, key=proves)
    return AcceptancePlan(limit, confidence, failures, size)


def standing(plan: AcceptancePlan, looked_at: int, wrong: int) -> Standing:
    """Return whether an audit goes on, or what it came to: it fails as soon as too many are wrong."""
    if wrong > plan.failures:
        return "fails"
    return "holds" if looked_at >= plan.size else "goes on"
