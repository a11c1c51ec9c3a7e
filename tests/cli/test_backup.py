"""`masksmith backup` and `restore` on the command line."""

from pathlib import Path

from core.settings import Settings
from core.workshop import Library
from tests.cli.conftest import Run, told
from tests.conftest import square
from tests.core.conftest import accept


def test_a_library_goes_into_a_folder_and_comes_back(
    run: Run, stocked: Library, settings: Settings, tmp_path: Path
) -> None:
    accept(stocked, "k", square())
    made = run("backup", tmp_path / "copy", "--json")
    assert made.exit_code == 0
    assert told(made)["rows"]["mask"] == 1
    assert (told(made)["files"], told(made)["copied"]) == (9, 9)
    again = run("restore", tmp_path / "copy", "--data", tmp_path / "new", "--json")
    assert again.exit_code == 0
    assert told(again)["rows"] == told(made)["rows"]
    said = run("restore", tmp_path / "copy", "--data", tmp_path / "other")
    assert "with 3 images and 1 masks." in said.stdout


def test_refusals_and_losses_end_with_1_and_a_sentence(
    run: Run, stocked: Library, settings: Settings, tmp_path: Path
) -> None:
    refused = run("restore", tmp_path, "--data", settings.data)
    assert refused.exit_code == 1
    assert "must be restored into a new or empty folder" in refused.stderr
    next(path for path in (Path(settings.files) / "working").rglob("*") if path.is_file()).unlink()
    lossy = run("backup", tmp_path / "copy")
    assert lossy.exit_code == 1
    assert "1 files are missing or damaged in the library itself" in lossy.stdout
