"""A backup is one state of a library in use, whole or not there; a restored one is that library; others are refused."""

import dataclasses
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest

from core import guidelines, masks, projects
from core.backup import back_up
from core.backup_manifest import MANIFEST
from core.errors import InvalidInput
from core.hashes import file_sha256
from core.importing import import_bytes
from core.restoring import restore
from core.settings import Settings
from core.workshop import Library, open_library, open_workshop
from storage import migrate, model_versions, tallies
from storage.engine import make_engines
from storage.errors import StorageError
from tests.api.conftest import client_of
from tests.conftest import photo, settings_of, square
from tests.core.conftest import accept

TALLIES = "SELECT masks, project_id, day, person_id, model_version_id, sums FROM tally ORDER BY 2, 3, 4, 5"


def files_below(folder: Path) -> dict[str, bytes]:
    """Return the content of every file by its place."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows_of(path: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_backup_made_while_people_accept_masks_is_one_state_and_opens(
    stocked: Library, settings: Settings, tmp_path: Path
) -> None:
    acknowledged: list[str] = []
    begun, enough = threading.Barrier(4), threading.Event()

    def work(person: int) -> None:
        begun.wait()
        number = 0
        while not enough.is_set():
            key = f"p{person}-{number}"
            accept(stocked, key, square(x=number % 60, y=person * 10), image_id=person)
            acknowledged.append(key)
            number += 1

    people = [threading.Thread(target=work, args=(person,)) for person in (1, 2, 3)]
    for person in people:
        person.start()
    begun.wait()
    while len(acknowledged) < 20:
        enough.wait(0.005)
    before = set(acknowledged)
    report = back_up(settings, tmp_path / "backup")
    after = set(acknowledged)
    # The threads write on: each needs another mask saved after the backup.
    while len(acknowledged) < len(after) + 6:
        enough.wait(0.005)
    enough.set()
    for person in people:
        person.join()

    assert report.missing == []
    data = tmp_path / "restored" / "data"
    restored = restore(tmp_path / "backup", data)
    assert restored.rows == report.rows
    saved = {key for (key,) in rows_of(data / "masksmith.db", "SELECT key FROM mask")}
    assert before <= saved < set(acknowledged)
    assert report.rows["mask"] == report.rows["mask_rle"] == len(saved)

    shop = open_workshop(settings_of(data), samples=False)
    try:
        counted = rows_of(data / "masksmith.db", TALLIES)
        with shop.engines.writing() as session:
            tallies.recount(session=session)
        assert counted == rows_of(data / "masksmith.db", TALLIES)
        assert sum(row[0] for row in counted) == len(saved)
        with anyio.from_thread.start_blocking_portal() as portal, client_of(lambda: shop, portal) as client:
            assert client.get("/healthz").status_code == 200
            for image in (1, 2, 3):
                shown = client.get(f"/api/images/{image}").json()["mask_list"]
                assert {mask["key"] for mask in shown} == {key for key in saved if key.startswith(f"p{image}-")}
                assert all(masks.decode(mask["rle"]).sum() == mask["area"] for mask in shown)
                assert client.get(f"/api/images/{image}/pixels").status_code == 200
                assert client.get(f"/api/images/{image}/thumbnail").status_code == 200
    finally:
        shop.close()


def test_another_backup_into_the_same_folder_copies_what_is_new_and_mends_what_is_damaged(
    stocked: Library, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    first = back_up(settings, folder)
    assert (first.files, first.copied) == (9, 9)
    assert back_up(settings, folder).copied == 0
    upload = [("photo-4.png", photo(4))]
    import_bytes(upload, engines=stocked.engines, files=stocked.files, project_id=stocked.project_id)
    hurt = next(path for path in sorted((folder / "files").rglob("*")) if path.is_file())
    whole = hurt.read_bytes()
    hurt.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    third = back_up(settings, folder)
    assert (third.files, third.copied, third.rows["image"]) == (12, 4, 4)
    assert hurt.read_bytes() == whole
    assert len(list(folder.glob("masksmith.db.*"))) == 1
    assert restore(folder, tmp_path / "again").rows == third.rows


def test_retrained_weights_belong_to_it_and_what_can_be_made_again_does_not(
    stocked: Library, settings: Settings, tmp_path: Path
) -> None:
    head = stocked.files.put("checkpoints", b"weights of a head")
    stocked.files.put_named("embeddings", "a" * 64, b"an embedding")
    with stocked.engines.writing() as session:
        model_versions.register("made", content_hash="c", encoder_hash="e", detail={"head": head}, session=session)
    back_up(settings, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    kinds = {path.parts[1] for path in map(Path, files_below(tmp_path / "again")) if path.parts[0] == "files"}
    assert kinds == {"originals", "working", "thumbs", "checkpoints"}
    for name, data in files_below(tmp_path / "again").items():
        if name.startswith("files/"):
            assert (settings.data / name).read_bytes() == data


def test_a_file_that_the_library_has_lost_is_named_and_the_rest_is_kept(
    stocked: Library, settings: Settings, tmp_path: Path
) -> None:
    lost = next(path for path in (Path(settings.files) / "thumbs").rglob("*") if path.is_file())
    lost.unlink()
    report = back_up(settings, tmp_path / "backup")
    assert report.missing == [f"thumbs/{lost.name[:12]}"]
    assert "1 files are missing or damaged in the library itself" in report.sentence()
    assert restore(tmp_path / "backup", tmp_path / "again").missing == report.missing


@pytest.mark.parametrize("where", ["full", "a file", "inside", "no library"])
def test_a_backup_goes_nowhere_else(stocked: Library, settings: Settings, tmp_path: Path, where: str) -> None:
    folder, source = tmp_path / "there", settings
    if where == "full":
        folder.mkdir()
        (folder / "holiday.jpg").write_bytes(b"mine")
    elif where == "a file":
        folder.write_bytes(b"mine")
    elif where == "inside":
        folder = settings.data / "backup"
    else:
        source = settings_of(tmp_path / "nothing")
    with pytest.raises(InvalidInput, match="must"):
        back_up(source, folder)
    assert not (folder / MANIFEST).exists()
    assert not (tmp_path / "nothing").exists()


def test_two_backups_into_one_folder_do_not_mix(stocked: Library, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "backup"

    def second(done: int, _total: int) -> None:
        if done == 1:
            with pytest.raises(InvalidInput, match="another is at it"):
                back_up(settings, folder)

    back_up(settings, folder, progress=second)
    assert restore(folder, tmp_path / "again").files == 9


def test_a_folder_with_anything_in_it_is_not_restored_into(
    stocked: Library, settings: Settings, tmp_path: Path
) -> None:
    back_up(settings, tmp_path / "backup")
    before = files_below(settings.data)
    with pytest.raises(InvalidInput, match="new or empty folder"):
        restore(tmp_path / "backup", settings.data)
    assert files_below(settings.data) == before
    (tmp_path / "empty").mkdir()
    assert restore(tmp_path / "backup", tmp_path / "empty").files == 9


def changed(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Return what changes the manifest of a backup."""

    def spoil(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST).read_text())
        change(manifest)
        (folder / MANIFEST).write_text(json.dumps(manifest))

    return spoil


def written(text: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / MANIFEST).write_bytes(text) and None  # type: ignore[func-returns-value]


def stored(folder: Path) -> Path:
    return min(path for path in (folder / "files").rglob("*") if path.is_file())


def linked(folder: Path) -> None:
    file = stored(folder)
    file.rename(folder.parent / "elsewhere")
    file.symlink_to(folder.parent / "elsewhere")


def linked_folder(folder: Path) -> None:
    (folder / "files").rename(folder.parent / "elsewhere")
    (folder / "files").symlink_to(folder.parent / "elsewhere")


def piped(folder: Path) -> None:
    file = stored(folder)
    file.unlink()
    os.mkfifo(file)


def truncated(folder: Path) -> None:
    file = stored(folder)
    file.write_bytes(file.read_bytes()[:-1])


def flipped(folder: Path) -> None:
    file = stored(folder)
    data = file.read_bytes()
    file.write_bytes(bytes([data[0] ^ 1]) + data[1:])


def with_sql(*statements: str) -> Callable[[Path], None]:
    """Return what changes the database of a backup as somebody would who also mends the manifest."""

    def spoil(folder: Path) -> None:
        (database,) = folder.glob("masksmith.db.*")
        connection = sqlite3.connect(database)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        _mend(folder, database)

    return spoil


def _mend(folder: Path, database: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    sha256 = file_sha256(database)
    tables = [name for (name,) in rows_of(database, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {name: rows_of(database, f'SELECT count(*) FROM "{name}"')[0][0] for name in tables}
    manifest["database"] = {"sha256": sha256, "bytes": database.stat().st_size, "rows": rows}
    database.rename(folder / f"masksmith.db.{sha256[:16]}")
    (folder / MANIFEST).write_text(json.dumps(manifest))


def no_database(folder: Path) -> None:
    (database,) = folder.glob("masksmith.db.*")
    database.write_bytes(b"no database at all" * 400)
    manifest = json.loads((folder / MANIFEST).read_text())
    sha256 = file_sha256(database)
    manifest["database"].update(sha256=sha256, bytes=database.stat().st_size)
    database.rename(folder / f"masksmith.db.{sha256[:16]}")
    (folder / MANIFEST).write_text(json.dumps(manifest))


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "must hold a backup with its manifest"),
    "nothing": (lambda folder: shutil.rmtree(folder), "must hold a backup with its manifest"),
    "no JSON": (written(b"{"), "manifest must be one of this version"),
    "deep JSON": (written(b"[" * 500_000), "manifest must be one of this version"),
    "bytes": (written(b"\xff\xfe\x00"), "manifest must be one of this version"),
    "another version": (changed(lambda m: m.update(masksmith_backup=2)), "manifest must be one of this version"),
    "a path as name": (changed(lambda m: m["files"][0].update(sha256="../../../etc/passwd")), "manifest must be"),
    "a path as kind": (changed(lambda m: m["files"][0].update(kind="../..")), "manifest must be"),
    "a name and more": (changed(lambda m: m["files"][0].update(sha256="a" * 64 + "\n")), "manifest must be"),
    "a path as database": (changed(lambda m: m["database"].update(sha256="/etc/passwd")), "manifest must be"),
    "negative bytes": (changed(lambda m: m["files"][0].update(bytes=-1)), "manifest must be"),
    "more than the disk": (changed(lambda m: m["files"][0].update(bytes=2**59)), "MB of free disk"),
    "other rows": (changed(lambda m: m["database"]["rows"].update(mask=7)), "as many rows as its manifest says"),
    "a file left out": (changed(lambda m: m["files"].pop()), "name every file its database knows"),
    "a file gone": (lambda folder: stored(folder).unlink(), "must be readable"),
    "a file truncated": (truncated, "must have [0-9]+ bytes, got"),
    "a bit flipped": (flipped, "must match its hash"),
    "a link": (linked, "is a link"),
    "a linked folder": (linked_folder, "is a link"),
    "a pipe": (piped, "is something else"),
    "no database": (no_database, "database cannot be used"),
    "a trigger": (
        with_sql("CREATE TRIGGER t AFTER INSERT ON mask BEGIN DELETE FROM image; END"),
        "plain tables only",
    ),
    "a view": (with_sql("CREATE VIEW v AS SELECT 1"), "plain tables only"),
    "a virtual table": (with_sql("CREATE VIRTUAL TABLE v USING fts5(t)"), "plain tables only"),
    "a newer version's": (with_sql("UPDATE alembic_version SET version_num = '9999'"), "unknown schema '9999'"),
    "rows that hang": (with_sql("UPDATE image SET project_id = 77 WHERE id = 1"), "must refer to one that exists"),
    "another hash": (with_sql("UPDATE image SET thumb_sha256 = x'00ff' WHERE id = 1"), "name every file"),
    "no model's JSON": (with_sql("UPDATE model_version SET detail = '[1]'"), "described by a JSON object"),
    "no tables": (with_sql("DROP TABLE image"), "cannot be used"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_damaged_or_hostile_backup_is_refused_in_one_sentence_and_leaves_nothing(
    stocked: Library, settings: Settings, tmp_path: Path, spoilt: str
) -> None:
    open_workshop(settings, samples=False).close()  # notes the model that answers
    back_up(settings, tmp_path / "backup")
    spoil, says = SPOILT[spoilt]
    spoil(tmp_path / "backup")
    (tmp_path / "new").mkdir()
    with pytest.raises((InvalidInput, StorageError), match=says) as refusal:
        restore(tmp_path / "backup", tmp_path / "new" / "data")
    assert "\n" not in str(refusal.value)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_backup_that_was_cut_off_leaves_the_one_before(stocked: Library, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    before = back_up(settings, folder)
    accept(stocked, "later", square())

    class CutOff(BaseException):
        pass

    def cut(done: int, _total: int) -> None:
        if done == 3:
            raise CutOff

    with pytest.raises(CutOff):
        back_up(settings, folder, progress=cut)
    assert restore(folder, tmp_path / "again").rows == before.rows
    assert back_up(settings, folder).rows["mask"] == before.rows["mask"] + 1


def test_older_tables_are_copied_as_they_are_and_brought_up_to_date_when_opened(tmp_path: Path) -> None:
    """Whoever installs a new version first and backs up then still gets what the old one can read."""
    old = settings_of(tmp_path / "old")
    old.data.mkdir()
    engines = make_engines(old.database_url)
    migrate.upgrade(engines, "0003")
    back_up(old, tmp_path / "backup")
    assert migrate.pending(engines)
    engines.dispose()
    restore(tmp_path / "backup", tmp_path / "again")
    version = "SELECT version_num FROM alembic_version"
    assert rows_of(tmp_path / "again" / "masksmith.db", version) == [("0003",)]
    open_library(settings_of(tmp_path / "again"), samples=False).close()
    assert rows_of(tmp_path / "again" / "masksmith.db", version) != [("0003",)]


def test_on_postgresql_the_files_alone_are_copied_and_what_copies_the_database_is_named(
    settings: Settings, tmp_path: Path
) -> None:
    url = os.environ.get("TEST_DATABASE_URL")
    if not url:
        pytest.skip("TEST_DATABASE_URL must name a PostgreSQL database that may be thrown away")
    engines = make_engines(url)
    with engines.writing() as session:
        session.connection().exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    engines.dispose()
    there = dataclasses.replace(settings, database_url=url)
    library = open_library(there, samples=False)
    upload = [("photo-4.png", photo(4))]
    import_bytes(upload, engines=library.engines, files=library.files, project_id=library.project_id)
    library.close()
    report = back_up(there, tmp_path / "backup")
    assert (report.database, report.files, report.rows) == (False, 3, {})
    assert "copy it with pg_dump" in report.sentence()
    restored = restore(tmp_path / "backup", tmp_path / "again")
    assert "restore the database with pg_restore" in restored.sentence()
    assert {path.parts[0] for path in map(Path, files_below(tmp_path / "again"))} == {"files"}


def test_pictures_of_guidelines_are_in_a_backup(stocked: Library, settings: Settings, tmp_path: Path) -> None:
    guidelines.add_picture(stocked, "cup.png", photo(9))
    (picture,) = projects.settings(stocked).guideline_pictures
    back_up(settings, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")
    opened = open_library(settings_of(tmp_path / "restored"), samples=False)
    try:
        assert guidelines.picture(opened, picture.sha256) == guidelines.picture(stocked, picture.sha256)
    finally:
        opened.close()
