"""`masksmith blur`: what it prints, that a second run has nothing to do, and that it goes on after a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core import projects, protecting
from core.importing import import_bytes
from core.settings import Settings
from core.workshop import Library
from tests.cli.conftest import Run, told
from tests.conftest import photo
from tests.core.privacy.photos import marked


@pytest.fixture
def sharp(library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Five photos that nothing searched, two of them with a mark."""
    monkeypatch.setenv("MASKSMITH_DETECTOR", "tests.core.privacy.photos:marks")
    projects.change_settings(library, {"blur": False})
    uploads = [("a.png", marked(1)), *((f"{n}.png", photo(n)) for n in (1, 2, 3)), ("b.png", marked(2))]
    import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)
    return library


def test_programs_get_what_was_blurred_and_a_second_run_goes_on(run: Run, sharp: Library) -> None:
    first = told(run("blur", "--limit", 1, "--json"))
    assert first == {"searched": 1, "found": {"face": 1}, "failed": [], "waiting": 4, "imports": False}
    second = run("blur", "--project", 1)
    assert second.stdout.splitlines() == [
        "4 images searched, 1 face blurred; 0 still to be searched.",
        "The project's setting is off: photos that are imported from now on are not blurred.",
    ]
    assert told(run("blur", "--json"))["searched"] == 0


def test_a_killed_run_loses_no_image_and_the_next_goes_on(run: Run, sharp: Library, settings: Settings) -> None:
    environ = {**os.environ, "MASKSMITH_DATA": str(settings.data), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "from cli.main import app; app()", "blur", "--json"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[2])
    while process.poll() is None and protecting.standing(sharp).to_search == 5:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = protecting.standing(sharp).to_search
    assert left < 5
    assert told(run("blur", "--json"))["searched"] == left
    assert protecting.standing(sharp) == protecting.Standing(0, 2, 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--limit", "0"), "the number of images must be at least 1, got 0"),
        (("--project", "9"), "project 9 must exist, but does not"),
    ],
)
def test_what_cannot_be_done_ends_with_one_sentence(
    run: Run, sharp: Library, arguments: tuple[str, ...], says: str
) -> None:
    result = run("blur", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr


def test_an_import_says_what_it_blurred(run: Run, sharp: Library, tmp_path: Path) -> None:
    projects.change_settings(sharp, {"blur": True})
    (tmp_path / "new.png").write_bytes(marked(9))
    assert told(run("import", tmp_path / "new.png", "--json"))["blurred"] == {"face": 1}
    (tmp_path / "plain.png").write_bytes(marked(10))
    assert told(run("import", tmp_path / "plain.png", "--no-blur", "--json"))["blurred"] == {}
    assert protecting.boxes_of(sharp, 7) == []
