"""Figures of outcomes made by hand."""

import numpy as np
import pytest

from core.training.outcomes import Outcome
from core.training.scores import Scores, differences, expected_calibration_error, score


def outcome(
    number: int,
    *iou: float,
    image: str | None = None,
    predictions: tuple[tuple[float, float], ...] = (),
    ms: float = 5.0,
) -> Outcome:
    return Outcome(
        object=str(number),
        image=image or f"photo {number}",
        mark="",
        iou=iou,
        best3=tuple(min(1.0, value + 0.1) for value in iou),
        predictions=predictions,
        click_ms=(ms,) * len(iou),
        box_iou=iou[0],
        box_best3=iou[-1],
        encode_ms=None,
    )


def spread(count: int) -> list[Outcome]:
    """Return outcomes of one object a photo, with IoUs evenly spread."""
    return [outcome(n, (n % 10) / 10) for n in range(count)]


def scored(outcomes: list[Outcome], max_clicks: int = 20, seed: int = 0) -> Scores:
    return score(outcomes, max_clicks=max_clicks, seed=seed)


def test_means_by_hand() -> None:
    """One object reaches 0.9 at its second click and stops being clicked, one never reaches 0.8 in 20."""
    scores = scored([outcome(1, 0.5, 0.95), outcome(2, *[0.3] * 19, 0.7)])
    assert scores.values == pytest.approx(
        {
            "iou_at_1": 0.4,
            "iou_at_3": (0.95 + 0.3) / 2,
            "iou_at_5": (0.95 + 0.3) / 2,
            "iou_at_10": (0.95 + 0.3) / 2,
            "best3_at_1": 0.5,
            "best3_at_3": 0.7,
            "best3_at_5": 0.7,
            "best3_at_10": 0.7,
            "noc80": 11,
            "noc85": 11,
            "noc90": 11,
            "failures80": 0.5,
            "failures85": 0.5,
            "failures90": 0.5,
            "box_iou": 0.4,
            "box_best3": 0.825,
            "ece": 0,
            "ms_per_click": 5,
            "ms_per_click_p95": 5,
            "ms_per_encode": None,
            "ms_per_encode_p95": None,
        }
    )
    assert scores.iou_by_click == pytest.approx([0.4, *[0.625] * 9])
    assert (scores.objects, scores.images) == (2, 2)


def test_clicks_that_were_not_allowed_have_no_figure() -> None:
    scores = scored([outcome(1, 0.5, 0.6, 0.7)], max_clicks=3)
    assert [scores.values[f"iou_at_{n}"] for n in (1, 3, 5, 10)] == [0.5, 0.7, None, None]
    assert (scores.values["noc80"], scores.values["failures80"]) == (3, 1)
    assert "iou_at_5" not in scores.intervals
    assert len(scores.iou_by_click) == 3


def test_calibration_by_hand() -> None:
    """Two bins of two: |0.94 - 0.75| and |0.23 - 0.15|, each for half of the four."""
    pairs = ((0.91, 1.0), (0.97, 0.5), (0.25, 0.2), (0.21, 0.1))
    scores = scored([outcome(1, 0.5, predictions=pairs[:1]), outcome(2, 0.5, predictions=pairs[1:])])
    assert scores.values["ece"] == pytest.approx((0.19 + 0.08) / 2)
    assert scores.values["ece"] == pytest.approx(expected_calibration_error(*np.array(pairs).T))
    shown = {found.start: found for found in scores.reliability if found.count}
    assert list(shown) == [0.2, 0.9]
    assert (shown[0.9].count, shown[0.9].predicted, shown[0.9].actual) == (2, pytest.approx(0.94), 0.75)
    assert [found.predicted for found in scores.reliability if not found.count] == [None] * 8


def test_errors_within_a_bin_cancel_and_a_sure_bin_ends_at_one() -> None:
    assert expected_calibration_error(np.array([0.5, 0.5]), np.array([0.0, 1.0])) == 0
    assert expected_calibration_error(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == 0
    assert expected_calibration_error(np.array([1.2, -0.1]), np.array([1.0, 0.0])) == pytest.approx(0.15)
    assert expected_calibration_error(np.zeros(0), np.zeros(0)) == 0


@pytest.mark.parametrize("count", [1, 2, 13, 100])
def test_an_interval_holds_its_mean(count: int) -> None:
    scores = scored(spread(count))
    for name, (low, high) in scores.intervals.items():
        value = scores.values[name]
        assert value is not None
        assert low - 1e-12 <= value <= high + 1e-12, name


def test_intervals_shrink_with_objects_as_their_root() -> None:
    low, high = scored(spread(20)).intervals["iou_at_1"]
    lower, higher = scored(spread(2000)).intervals["iou_at_1"]
    assert (higher - lower) / (high - low) == pytest.approx(0.1, rel=0.1)


def test_objects_of_one_photo_count_as_one_draw() -> None:
    """Twenty objects on two photos tell no more than two: the interval reaches from photo to photo."""
    outcomes = [outcome(n, 0.2 if n < 10 else 0.8, image="one" if n < 10 else "other") for n in range(20)]
    scores = scored(outcomes)
    assert scores.intervals["iou_at_1"] == pytest.approx((0.2, 0.8))
    assert scores.images == 2


def test_a_paired_difference_is_as_sure_as_its_objects_agree() -> None:
    hard_and_easy = [outcome(n, 0.1 if n % 2 else 0.8) for n in range(20)]
    each_a_little_better = [outcome(n, 0.15 if n % 2 else 0.85) for n in range(20)]
    found = differences(each_a_little_better, hard_and_easy, max_clicks=20, seed=0)["iou_at_1"]
    assert (found.mean, found.low, found.high) == pytest.approx((0.05, 0.05, 0.05))
    alone = scored(each_a_little_better).intervals["iou_at_1"]
    assert alone[1] - alone[0] > 0.2, "the same objects apart say far less"
    same = differences(hard_and_easy, hard_and_easy, max_clicks=20, seed=0)
    assert all((one.mean, one.low, one.high) == (0, 0, 0) for one in same.values())
    mixed = [outcome(n, 0.9 if n % 3 else 0.0) for n in range(20)]
    found = differences(mixed, hard_and_easy, max_clicks=20, seed=0)["iou_at_1"]
    assert found.low < found.mean < found.high
    with pytest.raises(ValueError, match="the same objects"):
        differences(mixed, mixed[1:], max_clicks=20, seed=0)


def test_the_seed_decides_the_intervals() -> None:
    assert scored(spread(30)) == scored(spread(30))
    assert scored(spread(30), seed=1).intervals != scored(spread(30)).intervals
    assert scored(spread(30), seed=1).values == scored(spread(30)).values


def test_times_are_medians_over_clicks() -> None:
    values = scored([outcome(1, 0.1, 0.1, 0.1, ms=10.0), outcome(2, 0.1, ms=1000.0)]).values
    assert values["ms_per_click"] == 10
    assert values["ms_per_click_p95"] == pytest.approx(10 + 0.85 * 990)
