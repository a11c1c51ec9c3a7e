"""`masksmith evaluate`: what it tells people and programs, from any data set and from the library."""

import re
from pathlib import Path

import pytest

from core.settings import Settings
from core.workshop import Library
from tests.cli.conftest import Run, told
from tests.conftest import square
from tests.core.conftest import accept
from tests.core.training.made import as_coco, as_manifest, disks

EVALUATE = ("evaluate", "--model", "grabcut")
"""Another model named after it takes its place."""
CONTRACT = ("iou_at_1", "best3_at_1", "iou_at_5", "noc85", "noc90", "box_iou", "ece", "ms_per_click")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return as_manifest(tmp_path / "set", disks(2))


def test_it_tells_programs_every_figure(run: Run, folder: Path, settings: Settings) -> None:
    report = told(run(*EVALUATE, "--dataset", folder, "--json"))
    assert {name: type(report[name]) for name in CONTRACT} == dict.fromkeys(CONTRACT, float)
    assert (report["dataset"], report["model"], report["baseline"]) == ("set", "grabcut", None)
    assert (report["objects"], report["images"], report["left_out"], report["crowds"]) == (4, 2, 0, 0)
    assert (report["seed"], report["max_clicks"]) == (0, 20)
    assert 0.9 < report["iou_at_10"] <= 1
    low, high = report["intervals"]["iou_at_1"]
    assert low <= report["iou_at_1"] <= high
    assert len(report["reliability"]) == len(report["iou_by_click"]) == 10
    assert Path(report["results"]).parent == settings.data / "evaluations"
    assert told(run(*EVALUATE, "--dataset", folder, "--json")) == report


def test_it_measures_grabcut_beside_a_model(run: Run, folder: Path, tmp_path: Path) -> None:
    command = (*EVALUATE, "--dataset", folder, "--objects", 1, "--max-clicks", 2, "--out", tmp_path / "out.jsonl")
    report = told(run(*command, "--model", "tiny-random", "--json"))
    assert (report["model"], report["baseline"]["model"], report["objects"]) == ("tiny-random", "grabcut", 1)
    assert set(CONTRACT) <= set(report["baseline"])
    assert (report["iou_at_5"], report["noc90"]) == (None, 2)
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2
    alone = told(run(*command, "--json"))
    assert {name: alone[name] for name in report["baseline"]} == report["baseline"]
    bare = told(run(*command, "--model", "tiny-random", "--no-baseline", "--json"))
    assert bare == report | {"baseline": None, "differences": {}}
    mean, low, high = report["differences"]["iou_at_1"]
    assert low <= mean <= high
    assert mean == pytest.approx(report["iou_at_1"] - report["baseline"]["iou_at_1"], abs=2e-6)


def test_it_tells_people(run: Run, folder: Path, tmp_path: Path) -> None:
    command = (*EVALUATE, "--dataset", folder, "--objects", 1, "--max-clicks", 2, "--out", tmp_path / "out.jsonl")
    lines = run(*command, "--model", "tiny-random").stdout.splitlines()
    assert lines[0] == "set: 1 objects on 1 images, at most 2 clicks each."
    assert lines[1].split() == ["tiny-random", "95", "%", "grabcut", "95", "%"]
    middle = lines.index("tiny-random less grabcut, object by object:")
    rows = {line[:24].strip(): line[24:].split() for line in lines[2:middle]}
    less = {line[:24].strip(): line[24:].split() for line in lines[middle + 1 : -1]}
    assert rows["clicks to IoU .90"][:4] == ["2.00", "2.00", "to", "2.00"]
    assert rows["IoU after 5 clicks"] == ["-", "-"]
    assert less["clicks to IoU .90"] == ["+1.00", "+1.00", "to", "+1.00"]
    assert "ms per click, median" not in less
    assert lines[-1] == f"Object by object: {tmp_path / 'out.jsonl'}"


def test_a_page_of_pictures_shows_the_best_first_and_the_worst_last(run: Run, folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    told(run(*EVALUATE, "--dataset", folder, "--max-clicks", 5, "--pictures", page, "--json"))
    text = page.read_text(encoding="utf-8")
    assert text.index("<h2>Best</h2>") < text.index("<h2>Worst</h2>")
    shown = [float(value) for value in re.findall(r"1 click: IoU (\d\.\d\d)", text)]
    assert len(shown) >= 2
    assert shown[0] >= shown[-1]
    assert text.count("data:image/jpeg;base64,") == text.count("<figcaption>")
    (tmp_path / "taken").write_text("a file")
    refused = run(*EVALUATE, "--dataset", folder, "--pictures", tmp_path / "taken" / "page.html")
    assert "the page of pictures must be writable" in refused.stderr


def test_the_librarys_own_masks_are_a_data_set(run: Run, stocked: Library) -> None:
    """Corrected masks count once, deleted and small ones not at all."""
    first = accept(stocked, "a", square(45, 30, 30))
    accept(stocked, "b", square(44, 30, 30), supersedes=first.mask_id)
    accept(stocked, "c", square(5, 5, 9), image_id=2)
    report = told(run(*EVALUATE, "--dataset", "library", "--max-clicks", 3, "--json"))
    assert (report["dataset"], report["objects"], report["images"], report["left_out"]) == ("library", 1, 1, 1)
    again = told(run(*EVALUATE, "--dataset", "library", "--max-clicks", 3, "--json"))
    assert again == report
    accept(stocked, "d", square(45, 30, 29), image_id=3)
    more = told(run(*EVALUATE, "--dataset", "library", "--max-clicks", 3, "--json"))
    assert (more["objects"], more["images"]) == (2, 2)


def test_coco_is_told_what_was_left_out(run: Run, tmp_path: Path) -> None:
    folder = as_coco(tmp_path / "coco", disks(1))
    text = (folder / "annotations.json").read_text().replace('"image_id": 1,', '"image_id": 1, "iscrowd": 1,', 1)
    (folder / "annotations.json").write_text(text)
    lines = run(*EVALUATE, "--dataset", folder, "--max-clicks", 1).stdout.splitlines()
    assert lines[:2] == [
        "coco: 1 objects on 1 images, at most 1 clicks each.",
        "1 annotations of many objects at once were left out.",
    ]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--objects", 0), "the number of objects must be at least 1, got 0"),
        (("--max-clicks", 0), "the most clicks must be 1 to 100, got 0"),
        (("--max-clicks", 101), "the most clicks must be 1 to 100, got 101"),
        (("--seed", -1), "a seed must be at least 0, got -1"),
        (("--model", "dalle"), "a model must be one of"),
        (("--model", "vit_b"), "the checkpoint must exist, but there is no"),
        (("--model", "vit_b", "--path", "/no/such.pth"), "there is no /no/such.pth"),
        (("--dataset", "/no/such/folder"), "a data set must be a folder with manifest.csv"),
        (("--dataset", "library"), "library must have an object of at least 100 pixels, got none among 0"),
    ],
)
def test_what_cannot_be_meant_ends_with_one_sentence(run: Run, folder: Path, more: tuple[str, ...], says: str) -> None:
    result = run(*EVALUATE, "--dataset", folder, *more)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert says in result.stderr
