"""Exports taken home as one zip file, and nothing else of the disk."""

import io
import json
import zipfile
from pathlib import Path

import httpx
import pytest

from api.exports import zipped
from core.exporting import export
from core.workshop import Workshop
from tests.api.conftest import refused, save

FORMS = [
    ".hidden",
    "%2e%2e",
    "..%2fsecret",
    "%2fetc",
    "a%00b",
    "coco-1.zip",
    "COCO-1",
    "x" * 65,
    "a b",
    "-a",
]


def test_an_export_comes_as_one_zip_with_every_file(client: httpx.Client, shop: Workshop) -> None:
    save(client)
    report = export(shop, shop.settings.exports / "sa1b-1", format="sa1b")
    answer = client.get("/api/exports/sa1b-1")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="sa1b-1.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            assert archive.read(name) == (report.folder / name).read_bytes()
        assert sorted(archive.namelist()) == [f"0000000{n}.{kind}" for n in (1, 2, 3) for kind in ("jpg", "json")]
        assert len(json.loads(archive.read("00000001.json"))["annotations"]) == 1


@pytest.mark.parametrize("name", ["nothing", *FORMS])
def test_what_is_no_export_is_not_found(client: httpx.Client, shop: Workshop, name: str) -> None:
    shop.settings.exports.mkdir()
    for folder in (shop.settings.data / "secret", shop.settings.exports / ".hidden", shop.settings.exports / "COCO-1"):
        folder.mkdir()
        (folder / "file").write_text("secret")
    refused(client.get(f"/api/exports/{name}"), 404)


def test_a_folder_inside_is_kept_in_the_zip(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "é.jpg").write_bytes(b"\xff" * 3_000_000)
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "empty").touch()
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped(tmp_path)))) as archive:
        assert archive.namelist() == ["a.json", "empty", "images/é.jpg"]
        assert archive.read("images/é.jpg") == b"\xff" * 3_000_000


def test_files_past_the_old_limit_of_zip_are_zipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is 2 GB; it is lowered here, as no test can wait for that many bytes."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    (tmp_path / "large.json").write_bytes(b"x" * 5000)
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped(tmp_path)))) as archive:
        assert archive.read("large.json") == b"x" * 5000


def test_a_zip_is_made_while_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * 40_000)
    pieces = [len(piece) for piece in zipped(tmp_path)]
    assert len(pieces) > 5
    assert max(pieces) < 2_000_000
