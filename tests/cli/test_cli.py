"""The command line as people and programs use it: what it prints, and how it ends."""

from pathlib import Path

import pytest
from pycocotools.coco import COCO

from core import importing
from core.settings import Settings
from core.workshop import chosen_spec, open_library
from storage import images
from tests.cli.conftest import Run, told
from tests.conftest import checkpoint_of, photo, square
from tests.core.conftest import accept


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos, one of them twice, a file that is none, and one that is left alone."""
    made = tmp_path / "photos"
    made.mkdir()
    (made / "a.png").write_bytes(photo(1))
    (made / "b.png").write_bytes(photo(2))
    (made / "c.png").write_bytes(photo(1))
    (made / "d [red]x.jpg").write_text("no photo")
    (made / "notes.txt").write_text("left alone")
    return made


REASON = "an image must be JPEG, PNG, WebP, TIFF or BMP, got something else"


def test_import_tells_what_came_in_and_what_was_refused_and_why(run: Run, folder: Path) -> None:
    result = run("import", folder)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "2 imported, 1 already in the library, 1 refused, 1 of other kinds left alone (.txt).",
        f"  d [red]x.jpg: {REASON}",
    ]


def test_import_tells_programs_the_same(run: Run, folder: Path) -> None:
    assert told(run("import", folder, "--json")) == {
        "imported": 2,
        "duplicates": 1,
        "refused": 1,
        "reasons": [["d [red]x.jpg", REASON]],
        "blurred": {},
        "passed_over": {".txt": 1},
        "stopped": None,
    }


def test_import_brings_no_photos_but_those_it_was_given(run: Run, folder: Path, settings: Settings) -> None:
    run("import", folder / "a.png")
    library = open_library(settings, samples=False)
    with library.engines.reading() as session:
        assert [row.name for row in images.page(1, session=session, limit=9)] == ["a.png"]
    library.close()


def test_refusals_beyond_the_list_are_counted(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_LISTED", 1)
    for name in ("e.jpg", "f.jpg"):
        (folder / name).write_text("no photo either")
    assert run("import", folder).stdout.splitlines()[-1] == "  and 2 more"


@pytest.mark.parametrize("command", [("import", "/no/such/folder"), ("export", "--out", "x", "--format", "tiff")])
def test_what_cannot_be_meant_ends_with_one_sentence(run: Run, command: tuple[str, ...]) -> None:
    result = run(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert "must" in result.stderr


def annotate(settings: Settings) -> None:
    library = open_library(settings, samples=False)
    ring = square()
    ring[25:28, 15:18] = False
    accept(library, "k", ring, predicted_iou=0.5, stability_score=0.5)
    accept(library, "l", square(50, 50), image_id=2, origin="by_hand")
    library.close()


def test_export_writes_and_says_that_it_was_read_back(
    run: Run, folder: Path, settings: Settings, tmp_path: Path
) -> None:
    run("import", folder)
    annotate(settings)
    result = run("export", "--format", "coco", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"2 masks on 2 images written to {tmp_path / 'out'}. All 2 masks were read back and are equal pixel for pixel. "
        "The scores of 1 masks have no place in this format."
    ]
    assert len(COCO(str(tmp_path / "out" / "annotations.json")).getAnnIds()) == 2
    again = run("export", "--format", "coco", "--out", tmp_path / "out")
    assert again.exit_code == 1
    assert "new or empty folder" in again.stderr


def test_export_tells_programs_what_it_wrote(run: Run, folder: Path, settings: Settings, tmp_path: Path) -> None:
    run("import", folder)
    annotate(settings)
    report = told(run("export", "--format", "sa1b", "--out", tmp_path / "sa1b", "--no-images", "--json"))
    assert (report["format"], report["folder"]) == ("sa1b", str(tmp_path / "sa1b"))
    assert (report["masks"], report["compared"], report["differing"], report["without_scores"]) == (2, 2, 0, 1)
    assert sorted(path.name for path in (tmp_path / "sa1b").iterdir()) == ["00000001.json", "00000002.json"]
    lossy = run("export", "--format", "coco", "--polygons", "--out", tmp_path / "polygons", "--json")
    assert lossy.exit_code == 0
    assert (told(lossy)["pixels_lost"], told(lossy)["differing"]) == (9, 1)


def test_masks_go_out_and_come_back_by_the_command_line(
    run: Run, folder: Path, settings: Settings, tmp_path: Path
) -> None:
    run("import", folder)
    annotate(settings)
    trial = told(run("export", "--format", "voc", "--out", tmp_path / "voc", "--trial", "--json"))
    assert (trial["trial"], trial["differing"], (tmp_path / "voc").exists()) == (True, 0, False)
    assert run("export", "--format", "cvat", "--out", tmp_path / "cvat").exit_code == 0
    result = run("import-masks", "--format", "cvat", tmp_path / "cvat")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        ["2 masks on 2 images taken in, to be kept, fixed or deleted."],
    )
    again = told(run("import-masks", "--format", "cvat", tmp_path / "cvat" / "annotations.xml", "--json"))
    assert (again["masks"], again["known"], again["unread"], again["reasons"]) == (0, 2, 0, [])
    assert (
        run("export", "--format", "cvat", "--out", tmp_path / "again")
        .stdout.splitlines()[0]
        .endswith(
            "2 imported masks that nobody has accepted yet are left out. "
            "The scores of 1 masks have no place in this format."
        )
    )


def test_masks_that_cannot_be_read_are_told_and_photos_that_are_lacking_imported(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0 0 1 0 1 1\n0 cup\n")
    (tmp_path / "labels" / "none.txt").write_text("0 0 0 1 0 1 1\n")
    result = run("import-masks", "--format", "yolo", tmp_path / "labels", "--images", folder)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "1 mask on 1 image taken in, to be kept, fixed or deleted, 1 not readable, 1 image not in the library. "
        "Photos: 1 imported.",
        "  line 2 of a.txt must be a class and numbers, got another thing",
        "  none must be the name of one image of the library, got none",
    ]


@pytest.mark.parametrize(
    "command",
    [
        ("import-masks", "--format", "gif", "."),
        ("import-masks", "--format", "coco", "/no/such/file"),
        ("import-masks", "--format", "coco", ".", "--images", "/no/such/folder"),
    ],
)
def test_an_import_of_masks_that_cannot_be_meant_ends_with_one_sentence(run: Run, command: tuple[str, ...]) -> None:
    result = run(*command)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    assert "must" in result.stderr


def test_the_doctor_tells_programs_what_is_wrong(run: Run, settings: Settings) -> None:
    healthy = run("doctor", "--json")
    assert (healthy.exit_code, told(healthy)["ok"]) == (0, True)
    (settings.data / "masksmith.db").write_bytes(b"garbage" * 1000)
    for leftover in ("masksmith.db-wal", "masksmith.db-shm"):
        (settings.data / leftover).unlink(missing_ok=True)
    ill = run("doctor", "--json")
    assert (ill.exit_code, told(ill)["ok"]) == (1, False)
    assert [finding["what"] for finding in told(ill)["findings"] if not finding["ok"]] == ["library"]


def test_the_doctor_tells_people(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert "wrong" not in result.stdout
    assert "starter" in result.stdout
    monkeypatch.setenv("MASKSMITH_MODEL", "dalle")
    ill = run("doctor")
    assert ill.exit_code == 1
    assert "wrong" in ill.stdout
    monkeypatch.setenv("MASKSMITH_DEVICE", "abacus")
    result = run("doctor")
    assert (result.exit_code, result.stderr) == (1, "MASKSMITH_DEVICE must be auto, cpu or cuda, got 'abacus'\n")


def test_models_are_listed_with_the_one_in_use(run: Run) -> None:
    rows = told(run("models", "--json"))["models"]
    assert [(row["name"], row["here"], row["used"]) for row in rows] == [
        ("starter", True, True),
        ("grabcut", True, False),
        ("vit_b", False, False),
        ("vit_l", False, False),
        ("vit_h", False, False),
    ]
    lines = run("models").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["starter", "grabcut", "vit_b", "vit_l", "vit_h"]
    assert lines[0].endswith("in use")
    assert lines[2].endswith("not downloaded")


def test_a_model_is_chosen_by_name_and_path(run: Run, settings: Settings, tmp_path: Path) -> None:
    checkpoint_of("vit_b", tmp_path / "sam.pth")
    result = run("models", "use", "vit_b", "--path", tmp_path / "sam.pth")
    assert (result.exit_code, result.stdout) == (0, "vit_b answers from the next start on.\n")
    library = open_library(settings, samples=False)
    assert (chosen_spec(library).name, chosen_spec(library).path) == ("vit_b", str(tmp_path / "sam.pth"))
    library.close()
    used = [row["name"] for row in told(run("models", "--json"))["models"] if row["used"]]
    assert used == ["vit_b"]
    assert run("models", "use", "grabcut").exit_code == 0
    assert [row["name"] for row in told(run("models", "--json"))["models"] if row["used"]] == ["grabcut"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("use", "dalle"), "a model must be one of starter, grabcut, vit_b, vit_l, vit_h, got 'dalle'"),
        (("use", "vit_b"), "the checkpoint must exist, but there is no"),
        (("use", "vit_h", "--path", "/no/such.pth"), "there is no /no/such.pth; download it or give its path"),
        (("download", "dalle"), "a checkpoint must be one of vit_b, vit_l, vit_h, got 'dalle'"),
    ],
)
def test_a_model_that_cannot_be_had_is_named(run: Run, command: tuple[str, ...], says: str) -> None:
    result = run("models", *command)
    assert result.exit_code == 1
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert [row["name"] for row in told(run("models", "--json"))["models"] if row["used"]] == ["starter"]
