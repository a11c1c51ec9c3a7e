"""What the model said of its candidate, and when that still counts."""

import pytest

from core.quality.checks import Limits, Prediction, Report, validate_mask
from core.quality.flags import Flag
from tests.core.quality.conftest import disk, reported


def test_low_scores_are_told() -> None:
    said = reported(disk(), prediction=Prediction(0.74, 0.84))
    assert said["unsure"].message == "The mask's predicted IoU is 0.74, below 0.75."
    assert said["unstable"].message == "The mask's stability score is 0.84, below 0.85."
    assert {flag.severity for flag in said.values()} == {"info"}
    assert reported(disk(), prediction=Prediction(0.75, 0.85)) == {}


@pytest.mark.parametrize("prediction", [None, Prediction(None, None), Prediction(0.1, 0.1, edited=True)])
def test_without_scores_and_after_edits_nothing_is_said(prediction: Prediction | None) -> None:
    assert reported(disk(), prediction=prediction) == {}


def test_limits_can_be_handed_in() -> None:
    assert set(reported(disk(), limits=Limits(predicted_iou=0.9), prediction=Prediction(0.85, 0.9))) == {"unsure"}
    assert reported(disk(), limits=Limits(stability=0.0), prediction=Prediction(0.8, 0.1)) == {}


def test_a_report_is_well_with_hints_only() -> None:
    hint, warning = Flag("a", "info", "A."), Flag("b", "warning", "B.")
    assert Report(()).ok
    assert Report((hint,)).ok
    assert not Report((warning, hint)).ok
    assert not validate_mask(disk() & ~disk(), [], limits=Limits()).ok


def test_a_mask_that_is_no_longer_its_candidate_is_told() -> None:
    said = reported(disk(), prediction=Prediction(0.9, 0.9, edited=True, kept_iou=0.79))
    assert set(said) == {"reworked"}
    assert said["reworked"].message.startswith("The mask has only 79% IoU with its candidate")
    assert reported(disk(), prediction=Prediction(0.9, 0.9, edited=True, kept_iou=0.8)) == {}
    assert reported(disk(), prediction=Prediction(0.9, 0.9, edited=True)) == {}
