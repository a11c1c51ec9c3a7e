"""From any database to the newest schema, or one sentence why not."""

from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError

from storage import images, migrate, people, sign_ins, tallies
from storage.engine import Engines, make_engines
from storage.errors import StorageError
from storage.migrate import config
from storage.types import now

MADE = "2026-01-02 03:04:05.000000"
OLD = {
    "project": {"id": 1, "name": "p", "settings": "{}", "created_at": MADE},
    "person": {"id": 1, "name": "owner", "preferences": "{}", "created_at": MADE},
    "image": {
        "id": 1,
        "project_id": 1,
        "name": "old.jpg",
        "sha256": "0",
        "working_sha256": "0",
        "thumb_sha256": "0",
        "width": 8,
        "height": 6,
        "original_width": 8,
        "original_height": 6,
        "original_format": "JPEG",
        "original_bytes": 9,
        "state": "done",
        "created_at": MADE,
    },
    "mask": {
        "id": 1,
        "key": "k",
        "image_id": 1,
        "person_id": 1,
        "object_key": "o",
        "origin": "assisted",
        "area": 4,
        "bbox_x": 1,
        "bbox_y": 1,
        "bbox_width": 2,
        "bbox_height": 2,
        "edited": False,
        "waiting_ms": 0,
        "thinking_ms": 0,
        "prompting_ms": 0,
        "painting_ms": 0,
        "created_at": MADE,
    },
}
"""Rows that every version can hold."""
REVISIONS = [script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()][::-1]
COUNTING = "0012"


def _put(connection: Connection, table: str) -> None:
    values = OLD[table]
    places = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})"), values)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_library_of_every_older_version_keeps_its_rows(unmigrated: Engines, revision: str) -> None:
    engines = unmigrated
    migrate.upgrade(engines, revision)
    with engines.write.begin() as connection:
        for table in OLD:
            _put(connection, table)
    assert migrate.pending(engines) == (revision != REVISIONS[-1])
    migrate.upgrade(engines)
    assert not migrate.pending(engines)
    with engines.reading() as session:
        image = images.get(1, session=session)
        assert image.name == "old.jpg"
        # One migration counts what is there; whoever goes around the queries afterwards counts nothing.
        counted = int(revision < COUNTING)
        assert (image.masks, tallies.read(1, session=session).sum("masks")) == (counted, counted)


def test_every_step_on_the_way_can_be_stopped_at(unmigrated: Engines) -> None:
    for revision in REVISIONS:
        migrate.upgrade(unmigrated, revision)
        with unmigrated.read.connect() as connection:
            assert MigrationContext.configure(connection).get_current_revision() == revision
    assert not migrate.pending(unmigrated)


def test_a_library_with_masks_takes_imported_ones_after_the_migration_and_no_others(unmigrated: Engines) -> None:
    engines = unmigrated
    migrate.upgrade(engines, "0008")
    row = (
        "INSERT INTO mask (key, image_id, person_id, object_key, origin, area, bbox_x, bbox_y, bbox_width, "
        "bbox_height, edited, waiting_ms, thinking_ms, prompting_ms, painting_ms, created_at) "
        "VALUES ('{0}', 1, 1, 'o', '{0}', 1, 0, 0, 1, 1, false, 0, 0, 0, 0, '2026-01-02 03:04:05.000000')"
    )
    with engines.write.begin() as connection:
        for table in ("project", "person", "image"):
            _put(connection, table)
        connection.exec_driver_sql(row.format("assisted"))
        connection.exec_driver_sql("INSERT INTO mask_rle (mask_id, height, width, counts) VALUES (1, 1, 1, '01')")
    migrate.upgrade(engines)
    with engines.write.begin() as connection:
        connection.exec_driver_sql(row.format("imported"))
    with pytest.raises(IntegrityError, match="ck_mask_origin"), engines.write.begin() as connection:
        connection.exec_driver_sql(row.format("magic"))
    with engines.read.connect() as connection:
        assert connection.exec_driver_sql("SELECT origin FROM mask ORDER BY id").scalars().all() == [
            "assisted",
            "imported",
        ]
        if connection.dialect.name == "sqlite":  # the migration edits the schema's text there
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_a_migration_that_fails_leaves_the_schema_as_it_was(unmigrated: Engines) -> None:
    with unmigrated.write.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE review (id INTEGER)")  # the last one the migration makes
    with pytest.raises(StorageError, match="already exists"):
        migrate.upgrade(unmigrated)
    with unmigrated.read.connect() as connection:
        assert inspect(connection).get_table_names() == ["review"]


def test_a_database_of_a_newer_version_is_left_alone(engines: Engines) -> None:
    with engines.write.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match="this version or an older one, got the unknown schema '9999'"):
        migrate.pending(engines)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("just some text, and more of it " * 100)
    (tmp_path / "folder.db").mkdir()
    for name, says in (("text.db", "file is not a database"), ("folder.db", "unable to open database file")):
        engines = make_engines(f"sqlite:///{tmp_path / name}")
        with pytest.raises(StorageError, match=f"the database must answer, got: {says}"):
            migrate.pending(engines)
        engines.dispose()
    assert (tmp_path / "text.db").read_text().startswith("just some text")


@pytest.mark.parametrize("url", ["nonsense", "oracle+nothing://host/db", "postgresql+nodriver://me:secret@host/db", ""])
def test_a_url_that_names_no_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(StorageError, match="DATABASE_URL must name a database") as caught:
        make_engines(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(StorageError, match=r"DATABASE_URL must name a file, .* got a database in memory"):
        make_engines(url)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="the database's folder must be writable"):
        make_engines(f"sqlite:///{tmp_path / 'file' / 'deep' / 'a.db'}")


def test_people_keep_their_roles_when_the_database_begins_to_check_them(unmigrated: Engines) -> None:
    migrate.upgrade(unmigrated, "0012")
    names = ("owner", "rita", "anna")
    with unmigrated.write.begin() as connection:
        for number, (name, role) in enumerate(zip(names, ("owner", "reviewer", "annotator"), strict=True), 1):
            connection.execute(
                text(
                    "INSERT INTO person (id, name, preferences, created_at, role) VALUES (:id, :name, '{}', :at, :role)"
                ),
                {"id": number, "name": name, "at": MADE, "role": role},
            )
        connection.exec_driver_sql(
            "INSERT INTO sign_in (token_sha256, person_id, created_at, seen_at, expires_at)"
            f" VALUES ('t', 1, '{MADE}', '{MADE}', '2999-01-01 00:00:00.000000')"
        )
    migrate.upgrade(unmigrated)
    with unmigrated.reading() as session:
        assert [one.role for one in people.every(session=session)] == ["owner", "reviewer", "annotator"]
        assert sign_ins.find("t", at=now(), session=session) is not None
    with unmigrated.write.begin() as connection:
        if connection.dialect.name == "sqlite":  # where the column is a new one
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
