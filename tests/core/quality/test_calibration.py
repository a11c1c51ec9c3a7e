"""Limits of predicted IoU learned from judged masks."""

import numpy as np
import pytest

from core.quality.calibration import Judged, calibrated


def judged(count: int, *, good_from: float) -> list[Judged]:
    return [Judged(number / count, number / count >= good_from) for number in range(count)]


def test_the_limit_is_the_lowest_that_keeps_the_wanted_share() -> None:
    found = calibrated(judged(100, good_from=0.5), wanted=1.0)
    assert found is not None
    assert (found.limit, found.good.mean, found.count) == (0.5, 1.0, 100)
    # 50 good and 3 wrong are 94.3 %, one more wrong is 92.6 %.
    lower = calibrated(judged(100, good_from=0.5))
    assert lower is not None
    assert (lower.limit, lower.good.mean) == (0.47, pytest.approx(50 / 53))


def test_few_masks_and_a_word_that_separates_nothing_tell_nothing() -> None:
    assert calibrated(judged(49, good_from=0.0)) is None
    assert calibrated(judged(100, good_from=0.9)) is None
    assert calibrated([Judged(0.8, number % 2 == 0) for number in range(100)]) is None


def test_masks_of_one_score_stand_or_fall_together() -> None:
    found = calibrated([Judged(0.9, True)] * 40 + [Judged(0.5, number < 10) for number in range(20)])
    assert found is not None
    assert found.limit == 0.9


def test_weights_undo_that_doubtful_masks_were_drawn_more_often() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(20_000)
    good = rng.random(20_000) < np.clip(scores * 2, 0, 1)
    chances = 0.02 + 0.1 * (1 - scores)
    drawn = rng.random(20_000) < chances
    everything = calibrated([Judged(float(s), bool(g)) for s, g in zip(scores, good, strict=True)])
    weighted = calibrated(
        [
            Judged(float(s), bool(g), 1 / float(c))
            for s, g, c in zip(scores[drawn], good[drawn], chances[drawn], strict=True)
        ]
    )
    assert everything is not None
    assert weighted is not None
    assert weighted.limit == pytest.approx(everything.limit, abs=0.04)
    assert weighted.good.low < everything.good.mean < weighted.good.high
