"""From any database to the newest schema, or one sentence why not."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from storage import images, migrate
from storage.engine import Engines, make_engines
from storage.errors import StorageError
from storage.migrate import config
from tests.storage.conftest import new_image

REVISIONS = [script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()][::-1]


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_library_of_every_older_version_keeps_its_rows(tmp_path: Path, revision: str) -> None:
    engines = make_engines(f"sqlite:///{tmp_path / 'old.db'}")
    migrate.upgrade(engines, revision)
    with engines.write.begin() as connection:
        connection.exec_driver_sql("INSERT INTO project (id, name, settings, created_at) VALUES (1, 'p', '{}', '2026')")
    with engines.writing() as session:
        image_id, _ = images.insert(new_image("old.jpg", 7), session=session)
    assert migrate.pending(engines) == (revision != REVISIONS[-1])
    migrate.upgrade(engines)
    assert not migrate.pending(engines)
    with engines.reading() as session:
        assert images.get(image_id, session=session).name == "old.jpg"
    engines.dispose()


def test_a_migration_that_fails_leaves_the_schema_as_it_was(tmp_path: Path) -> None:
    engines = make_engines(f"sqlite:///{tmp_path / 'old.db'}")
    with engines.write.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE review (id INTEGER)")  # the last one the migration makes
    with pytest.raises(StorageError, match="already exists"):
        migrate.upgrade(engines)
    with engines.read.connect() as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
    assert tables == ["review"]
    engines.dispose()


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


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="the database's folder must be writable"):
        make_engines(f"sqlite:///{tmp_path / 'file' / 'deep' / 'a.db'}")
