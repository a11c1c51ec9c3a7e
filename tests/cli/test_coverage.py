"""`masksmith coverage`: what it prints, that it goes on after a kill, and that it measures."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.segmentation.catalogue import STARTER
from core.settings import Settings
from core.workshop import Library, choose_model
from storage import surveys
from tests.cli.conftest import Run, told
from tests.conftest import HEIGHT, WIDTH, photo, square


@pytest.fixture
def ready(stocked: Library) -> Library:
    """Three photos, for the starter to look at."""
    choose_model(stocked, STARTER, None)
    return stocked


def test_programs_get_what_was_surveyed_and_a_second_run_goes_on(run: Run, ready: Library) -> None:
    first = told(run("coverage", "--limit", 1, "--json"))
    assert (first["surveyed"], first["waiting"], first["failed"]) == (1, 2, [])
    assert {key: first["totals"][key] for key in ("images", "surveyed", "fresh")} == {
        "images": 3,
        "surveyed": 1,
        "fresh": 1,
    }
    second = run("coverage")
    assert second.stdout.startswith("2 images surveyed, about ")
    assert second.stdout.endswith("; 0 still to be surveyed.\n")
    assert told(run("coverage", "--json"))["surveyed"] == 0


def test_a_killed_run_loses_no_image_and_the_next_goes_on(run: Run, ready: Library, settings: Settings) -> None:
    environ = {**os.environ, "MASKSMITH_DATA": str(settings.data), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "from cli.main import app; app()", "coverage", "--json"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2])
    while process.poll() is None and not surveyed(ready):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = surveyed(ready)
    assert kept
    assert told(run("coverage", "--json"))["surveyed"] == 3 - kept
    assert surveyed(ready) == 3


def surveyed(library: Library) -> int:
    with library.engines.reading() as session:
        return surveys.totals(library.project_id, session=session).surveyed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--limit", "0"), "the number of images must be at least 1, got 0"),
        ((), "a survey needs a model with weights, but grabcut has none"),
        (("--dataset", "/no/such/folder"), "there is no /no/such/folder"),
        (("--dataset", ".", "--half", "third"), "a half must be one of all, first, second, got 'third'"),
    ],
)
def test_what_cannot_be_done_ends_with_one_sentence(
    run: Run, stocked: Library, arguments: tuple[str, ...], says: str
) -> None:
    result = run("coverage", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr


def test_known_objects_measure_the_guesses(run: Run, ready: Library, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    labels = ((rows - 45) ** 2 + (columns - 60) ** 2 < 30**2).astype(np.uint8)
    labels[square(0, 0, 12)] = 2  # where there is nothing to be seen
    for number in (1, 2):
        (tmp_path / "images" / f"{number}.png").write_bytes(photo(number))
        Image.fromarray(labels).save(tmp_path / "labels" / f"{number}.png")
    found = told(run("coverage", "--dataset", tmp_path, "--half", "second", "--json"))
    assert (found["images"], found["objects"], found["half"]) == (1, 2, "second")
    assert found["recall"]["mean"] == 0.5
    assert found["proposals"] >= 1
    lines = run("coverage", "--dataset", tmp_path, "--limit", 1).stdout.splitlines()
    assert lines[1] == "Objects found (recall at IoU 0.5): 0.500 (0.500 to 0.500)"
