"""`masksmith retrain` and the versions that come of it."""

from core.workshop import Library, choose_model
from tests.cli.conftest import Run, told


def test_too_few_masks_and_a_model_without_weights_are_told(run: Run, stocked: Library) -> None:
    refused = run("retrain")
    assert refused.exit_code == 1
    assert refused.stderr.strip() == "a model must have weights to be retrained, but grabcut has none"
    choose_model(stocked, "starter", None)
    failed = run("retrain", "--epochs", 1)
    assert failed.exit_code == 1
    assert failed.stdout.strip() == "retraining must have at least 10 masks accepted, got 0"
    assert run("retrain", "--epochs", 0).stderr.strip() == "the epochs must be 1 to 100, got 0"


def test_versions_are_listed_and_only_one_that_is_there_is_promoted(run: Run, stocked: Library) -> None:
    listed = told(run("models", "versions", "--json"))
    assert [version["parent"] for version in listed["versions"]] == [None]
    assert listed["answering"] == listed["versions"][0]["version"]
    assert "in use" in run("models", "versions").stdout
    assert run("models", "promote", 9).stderr.strip() == "model version 9 must exist, but does not"
    back = run("models", "roll-back")
    assert back.exit_code == 1
    assert "must have been made of another one to be rolled back" in back.stderr
