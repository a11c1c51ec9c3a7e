"""Samples: their chances are what they say, and what they tell of all masks is right on average."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from core.errors import InvalidInput
from core.quality.sampling import acceptance_plan, by_risk, estimated_share, simple, standing, stratified


def test_a_simple_sample_has_no_mask_twice_and_all_of_few() -> None:
    drawn = simple(range(10, 110), 20, np.random.default_rng(0))
    assert len({one.mask_id for one in drawn}) == 20
    assert {one.chance for one in drawn} == {0.2}
    assert {one.mask_id for one in simple([3, 5], 9, np.random.default_rng(0))} == {3, 5}
    assert simple([], 5, np.random.default_rng(0)) == []


def test_every_stratum_is_in_a_stratified_sample_in_its_share() -> None:
    many, few, alone = range(90), range(90, 100), [100]
    drawn = stratified([many, few, alone], 20, np.random.default_rng(1))
    assert [sum(one.mask_id in stratum for one in drawn) for stratum in (many, few, alone)] == [18, 2, 1]
    assert {one.chance for one in drawn if one.mask_id == 100} == {1.0}
    assert stratified([], 5, np.random.default_rng(0)) == []


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_chances_by_risk_add_up_to_the_sample(risks: list[float], count: int, seed: int) -> None:
    drawn = by_risk(range(len(risks)), risks, count, np.random.default_rng(seed))
    assert len(drawn) == min(count, len(risks))
    assert len({one.mask_id for one in drawn}) == len(drawn)
    assert all(0 < one.chance <= 1 + 1e-9 for one in drawn)


def test_by_risk_each_mask_is_drawn_as_often_as_its_chance_says() -> None:
    risks = {1: 1.0, 2: 2.0, 3: 3.0, 4: 50.0}
    rng, times, chances = np.random.default_rng(2), dict.fromkeys(risks, 0), dict[int, float]()
    for _ in range(4000):
        for one in by_risk(list(risks), list(risks.values()), 2, rng):
            times[one.mask_id] += 1
            chances[one.mask_id] = one.chance
    # One is sure; the others share the second place 1 : 2 : 3.
    assert chances == pytest.approx({1: 1 / 6, 2: 2 / 6, 3: 3 / 6, 4: 1.0})
    for mask_id, often in times.items():
        assert often / 4000 == pytest.approx(chances[mask_id], abs=0.03)


def test_an_estimate_from_unequal_chances_is_right_on_average() -> None:
    rng = np.random.default_rng(3)
    wrong = {number: number % 10 == 0 for number in range(200)}
    risks = {number: 4.0 if bad or number % 3 == 0 else 1.0 for number, bad in wrong.items()}
    found = []
    for _ in range(500):
        drawn = by_risk(list(risks), list(risks.values()), 40, rng)
        values, chances = [wrong[one.mask_id] for one in drawn], [one.chance for one in drawn]
        found.append(estimated_share(values, chances, 200))
    assert np.mean([one.mean for one in found]) == pytest.approx(0.1, abs=0.005)
    assert np.mean([one.low <= 0.1 <= one.high for one in found]) > 0.93


def test_an_estimate_of_equal_chances_is_the_share_with_wilsons_interval() -> None:
    found = estimated_share([True] * 113 + [False] * 7, [0.1] * 120, 1200)
    wilsons = binomtest(113, 120).proportion_ci(method="wilson")
    assert (found.mean, found.low, found.high) == pytest.approx((113 / 120, wilsons.low, wilsons.high))
    nothing = estimated_share([], [], 50)
    assert (nothing.low, nothing.high) == (0, 1)


@settings(max_examples=30)
@given(st.floats(0.01, 0.5), st.sampled_from([0.8, 0.9, 0.95, 0.99]), st.integers(0, 4))
def test_a_plan_is_the_smallest_that_proves_its_limit(limit: float, confidence: float, failures: int) -> None:
    plan = acceptance_plan(limit=limit, confidence=confidence, failures=failures)
    assert binom.cdf(failures, plan.size, limit) <= 1 - confidence
    if plan.size > failures + 1:
        assert binom.cdf(failures, plan.size - 1, limit) > 1 - confidence


def test_an_audit_ends_as_soon_as_it_is_decided() -> None:
    plan = acceptance_plan(limit=0.05, confidence=0.95, failures=1)
    assert plan.size == 93
    assert standing(plan, 10, 1) == "goes on"
    assert standing(plan, 10, 2) == "fails"
    assert standing(plan, 93, 1) == "holds"
    with pytest.raises(InvalidInput, match="a limit and a confidence between 0 and 1"):
        acceptance_plan(limit=0, confidence=0.95, failures=0)
