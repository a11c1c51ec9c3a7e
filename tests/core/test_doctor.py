"""The doctor says what is there and what is wrong, in words, whatever the state of the installation."""

import dataclasses
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from core import doctor
from core.doctor import Finding, examine, well
from core.settings import Settings
from core.workshop import choose_model, open_library
from storage import images
from tests.conftest import checkpoint_of


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(settings)}


def test_a_healthy_installation_has_nothing_wrong(settings: Settings) -> None:
    findings = examine(settings)
    assert well(findings)
    said = {finding.what: finding.says for finding in findings}
    assert set(said) >= {"python", "torch", "data folder", "disk", "database", "model", "device", "browser for tests"}
    assert said["data folder"] == str(settings.data)
    assert said["database"].startswith("sqlite")
    assert said["model"].startswith("starter")
    assert said["device"].startswith(("cpu", "cuda"))
    assert said["disk"].endswith("GB free")


def test_looking_puts_no_photos_into_the_library(settings: Settings) -> None:
    examine(settings)
    library = open_library(settings, samples=False)
    with library.engines.reading() as session:
        assert images.count(library.project_id, session=session) == 0
    library.close()


def test_a_missing_package_is_named_with_what_to_do(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "no-such-package"))
    findings = found(settings)
    assert findings["numpy"].ok
    assert not findings["no-such-package"].ok
    assert "run make run" in findings["no-such-package"].says


def test_a_full_disk_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**12, 10**12, 5 * 10**8))
    disk = found(settings)["disk"]
    assert (disk.ok, disk.says) == (False, "0.5 GB free; photos and embeddings will not fit for long")


@pytest.mark.parametrize(
    ("spoil", "what", "says"),
    [
        (lambda data: (data / "masksmith.db").write_bytes(b"garbage" * 1000), "library", "file is not a database"),
        (lambda data: (data / "masksmith.db").mkdir(), "library", "unable to open database file"),
        (lambda data: (data.rmdir(), data.touch()), "data folder", "must be a writable folder"),
    ],
)
def test_a_broken_data_folder_is_named(settings: Settings, spoil: object, what: str, says: str) -> None:
    settings.data.mkdir()
    spoil(settings.data)  # type: ignore[operator]
    findings = found(settings)
    assert not findings[what].ok
    assert says in findings[what].says
    assert "device" in findings


def test_a_database_that_cannot_be_spoken_to_is_named(settings: Settings) -> None:
    finding = found(dataclasses.replace(settings, database_url="nonsense"))["library"]
    assert not finding.ok
    assert "DATABASE_URL must name a database" in finding.says


@pytest.mark.parametrize(
    ("name", "path", "says"),
    [
        ("vit_b", None, "which does not exist; run masksmith models download"),
        ("vit_b", "/nowhere/sam.pth", "vit_b from /nowhere/sam.pth, which does not exist"),
        ("dalle", None, "dalle is chosen, but is no model this version knows"),
    ],
)
def test_a_model_that_cannot_answer_is_named(settings: Settings, name: str, path: str | None, says: str) -> None:
    library = open_library(settings, samples=False)
    choose_model(library, name, path)
    library.close()
    finding = found(settings)["model"]
    assert not finding.ok
    assert says in finding.says


def test_a_checkpoint_that_is_there_is_named_with_its_path(settings: Settings, tmp_path: Path) -> None:
    checkpoint = checkpoint_of("vit_l", tmp_path / "sam.pth")
    library = open_library(settings, samples=False)
    choose_model(library, "vit_l", str(checkpoint))
    library.close()
    assert found(settings)["model"] == Finding("model", True, f"vit_l from {checkpoint}")
    checkpoint.write_bytes(b"no weights")
    says = f"vit_l from {checkpoint}: the checkpoint must be whole and hold weights only, but sam.pth is not"
    assert found(settings)["model"] == Finding("model", False, says)
