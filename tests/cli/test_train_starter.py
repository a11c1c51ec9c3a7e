"""`masksmith train-starter`: from folders to weights that load, or one sentence why not."""

from pathlib import Path

import pytest
import torch

from core.segmentation.catalogue import STARTER_WEIGHTS
from core.segmentation.weights_file import read_weights
from tests.cli.conftest import Run
from tests.core.training.made import as_manifest, disks


def test_a_moment_of_training_goes_on_from_weights_and_leaves_others(run: Run, tmp_path: Path) -> None:
    known = as_manifest(tmp_path / "known", disks(2))
    where = ("--known", known, "--out", tmp_path / "out", "--start", STARTER_WEIGHTS)
    result = run("train-starter", *where, "--minutes", 0.02)
    assert result.exit_code == 0, result.stderr
    assert "0 cut-outs, 12 photos, 2 with known objects." in result.stdout
    weights = tmp_path / "out" / "starter.pt"
    assert result.stdout.splitlines()[-1] == f"{weights} holds the weights."
    before, after = read_weights(STARTER_WEIGHTS), read_weights(weights)
    assert before.keys() == after.keys()
    moved = [name for name in before if before[name].is_floating_point() and not torch.equal(before[name], after[name])]
    assert moved


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--minutes", 0), "the minutes must be more than 0, got 0"),
        (("--cutouts", "/no/such"), "a folder of pictures must exist, got '/no/such'"),
        (("--known", "/no/such"), "a data set must be a folder with manifest.csv"),
    ],
)
def test_what_cannot_be_learned_from_ends_with_one_sentence(
    run: Run, tmp_path: Path, more: tuple[str, ...], says: str
) -> None:
    result = run("train-starter", "--out", tmp_path / "out", *more)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert says in result.stderr
    assert not (tmp_path / "out").exists()
