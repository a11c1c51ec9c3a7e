"""Whole runs: figures of segmenters that are known, and going on after being cut off."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.segmentation.grabcut import GrabCutSegmenter
from core.segmentation.protocol import Segmenter
from core.training.datasets import open_dataset
from core.training.evaluate import evaluate, key_of
from core.training.examples import choose
from core.training.outcomes import Outcome, OutcomeFile
from core.training.scores import Scores, score
from tests.core.training.made import Constant, Improving, Oracle, as_manifest, disks, unsure_rim


def measured(
    segmenter: Segmenter, folder: Path, out: Path, *, count: int | None = None, seed: int = 0, max_clicks: int = 20
) -> list[Outcome]:
    dataset = open_dataset(folder)
    key = key_of(dataset, segmenter, seed=seed, max_clicks=max_clicks)
    return evaluate(segmenter, choose(dataset, count, seed), OutcomeFile(out, key), max_clicks=max_clicks)


def timeless(scores: Scores) -> tuple[object, ...]:
    values = {name: value for name, value in scores.values.items() if not name.startswith("ms_")}
    return values, scores.intervals, scores.iou_by_click, scores.reliability, scores.objects, scores.images


def figures(outcomes: list[Outcome], seed: int = 0) -> tuple[object, ...]:
    return timeless(score(outcomes, max_clicks=20, seed=seed))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photos with two objects each."""
    return as_manifest(tmp_path / "set", disks(3))


@pytest.mark.parametrize("rim", [False, True])
def test_an_oracle_is_perfect(rim: bool, tmp_path: Path) -> None:
    made = [unsure_rim(photo) if rim else photo for photo in disks(3)]
    outcomes = measured(Oracle(), as_manifest(tmp_path / "set", made), tmp_path / "out.jsonl")
    scores = score(outcomes, max_clicks=20, seed=0)
    assert (scores.objects, scores.images) == (6, 3)
    for name, value in scores.values.items():
        if name.startswith(("iou", "best3", "noc", "box")):
            assert value == 1, name
            assert scores.intervals[name] == (1, 1)
        elif name.startswith(("failures", "ece")):
            assert value == 0, name


@pytest.mark.parametrize("full", [False, True])
def test_a_constant_mask_fails_everywhere(full: bool, folder: Path, tmp_path: Path) -> None:
    outcomes = measured(Constant(full=full, predicted=0.75), folder, tmp_path / "out.jsonl")
    values = score(outcomes, max_clicks=20, seed=0).values
    areas = [int((drawing == 255).sum()) for photo in disks(3) for drawing in photo.drawings]
    share = sum(areas) / len(areas) / (100 * 140) if full else 0
    for name in ("iou_at_1", "iou_at_10", "best3_at_5", "box_iou", "box_best3"):
        assert values[name] == pytest.approx(share)
    assert [values[f"noc{t}"] for t in (80, 85, 90)] == [20] * 3
    assert [values[f"failures{t}"] for t in (80, 85, 90)] == [1] * 3
    assert values["ece"] == pytest.approx(0.75 - share)


def test_two_runs_agree_exactly(folder: Path, tmp_path: Path) -> None:
    one = measured(GrabCutSegmenter(), folder, tmp_path / "one.jsonl", count=4, seed=5)
    other = measured(GrabCutSegmenter(), folder, tmp_path / "other.jsonl", count=4, seed=5)
    assert [outcome.object for outcome in one] == [outcome.object for outcome in other]
    assert [outcome.predictions for outcome in one] == [outcome.predictions for outcome in other]
    assert figures(one) == figures(other)


def test_a_photo_is_encoded_once_for_all_its_objects(folder: Path, tmp_path: Path) -> None:
    segmenter = Oracle()
    outcomes = measured(segmenter, folder, tmp_path / "out.jsonl")
    assert segmenter.encoded == 3
    assert [outcome.encode_ms is not None for outcome in outcomes] == [True, False] * 3


@pytest.mark.parametrize("lines", [0, 1, 2, 5])
@pytest.mark.parametrize("torn", [0, 1, 20, 300])
def test_a_run_that_was_killed_goes_on(lines: int, torn: int, folder: Path, tmp_path: Path) -> None:
    whole = measured(Improving(), folder, tmp_path / "whole.jsonl", max_clicks=3)
    kept = (tmp_path / "whole.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_text("".join(kept[:lines]) + kept[lines][:torn])
    done = measured(Improving(), folder, tmp_path / "cut.jsonl", max_clicks=3)
    assert timeless(score(done, max_clicks=3, seed=0)) == timeless(score(whole, max_clicks=3, seed=0))
    assert [o.click_ms for o in done[:lines]] == [o.click_ms for o in whole[:lines]]
    segmenter = Improving()
    again = OutcomeFile(tmp_path / "cut.jsonl", key_of(open_dataset(folder), segmenter, seed=0, max_clicks=3)).known()
    assert again == {outcome.object: outcome for outcome in done}


def test_what_is_kept_is_not_measured_again(folder: Path, tmp_path: Path) -> None:
    measured(Oracle(), folder, tmp_path / "out.jsonl", count=2)
    size = (tmp_path / "out.jsonl").stat().st_size
    segmenter = Oracle()
    measured(segmenter, folder, tmp_path / "out.jsonl", count=2)
    assert (segmenter.encoded, (tmp_path / "out.jsonl").stat().st_size) == (0, size)
    measured(segmenter, folder, tmp_path / "out.jsonl", count=6)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 6


def test_other_questions_are_answered_anew(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    measured(Oracle(), folder, out)
    for segmenter, changes in (
        (Constant(full=True), {}),
        (Oracle(), {"seed": 1}),
        (Oracle(), {"max_clicks": 2}),
    ):
        measured(segmenter, folder, out, **changes)
        assert segmenter.encoded == 3
    segmenter = Oracle()
    measured(segmenter, as_manifest(tmp_path / "other", disks(4)), out)
    assert segmenter.encoded == 4


def test_a_changed_photo_is_measured_anew(folder: Path, tmp_path: Path) -> None:
    measured(Oracle(), folder, tmp_path / "out.jsonl")
    photo = folder / "images" / "p1.png"
    size, pixels = photo.stat().st_size, photo.read_bytes()
    photo.write_bytes(pixels[:-1] + b"?" * (size - len(pixels) + 1))
    segmenter = Oracle()
    measured(segmenter, folder, tmp_path / "out.jsonl")
    assert segmenter.encoded == 1


def test_masks_of_one_photo_must_have_one_size(folder: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((10, 14), 255, np.uint8)).save(folder / "masks" / "p1-1.png")
    with pytest.raises(InvalidInput, match=r"the masks of images/p1\.png must (have its|be of one) size"):
        measured(Oracle(), folder, tmp_path / "out.jsonl")


def test_somebody_elses_file_is_left_alone(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "letter.txt"
    out.write_text("Dear reader")
    with pytest.raises(InvalidInput, match=r"must be new or one of `masksmith evaluate`, but .*letter\.txt is not"):
        measured(Oracle(), folder, out)
    assert out.read_text() == "Dear reader"
    with pytest.raises(InvalidInput, match=r"the file of results must be writable, but .* is not \(Is a directory\)"):
        measured(Oracle(), folder, tmp_path)


def test_lines_of_other_shapes_are_passed_over(tmp_path: Path) -> None:
    line = {"evaluation": "k", "object": "a"}
    (tmp_path / "out.jsonl").write_text(f"{json.dumps(line)}\n[1]\nnull\n{{\n")
    assert OutcomeFile(tmp_path / "out.jsonl", "k").known() == {}
