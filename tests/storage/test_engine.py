"""The database: schema, transactions, and queries about images, work, skips and people."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from storage import images, masks, migrate, people, projects, settings_store, skips, work
from storage.engine import READERS, WRITERS, Engines, make_engines
from storage.errors import MissingRow, StorageError
from storage.rows import Times
from tests.postgresql import Server
from tests.storage.conftest import new_image


def test_migrations_build_the_schema_of_the_models(unmigrated: Engines) -> None:
    assert migrate.pending(unmigrated)
    migrate.upgrade(unmigrated)
    assert not migrate.pending(unmigrated)
    with unmigrated.read.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_upgrading_again_keeps_the_data(engines: Engines) -> None:
    migrate.upgrade(engines)
    with engines.reading() as session:
        assert images.get(1, session=session).name == "a.jpg"


def test_writers_do_not_lose_updates(engines: Engines) -> None:
    def count_up(_: int) -> None:
        with engines.writing() as session:
            value = settings_store.get("counter", session=session) or {"n": 0}
            settings_store.put("counter", {"n": value["n"] + 1}, session=session)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(count_up, range(120)))
    with engines.reading() as session:
        assert settings_store.get("counter", session=session) == {"n": 120}


def test_a_reader_sees_one_state(engines: Engines) -> None:
    with engines.reading() as session:
        before = images.count(1, session=session)
        with engines.writing() as writer:
            images.insert(new_image("later.jpg", 77), session=writer)
        assert images.count(1, session=session) == before
    with engines.reading() as session:
        assert images.count(1, session=session) == before + 1


def test_foreign_keys_are_held_and_errors_are_translated(engines: Engines) -> None:
    with pytest.raises(StorageError, match=r"(?i)foreign key"), engines.writing() as session:
        work.put(999, 1, "o", {}, session=session)


def test_images_are_paged_filtered_and_counted(engines: Engines) -> None:
    with engines.writing() as session:
        for number in range(1, 30):
            images.insert(new_image(f"IMG_{number:02}.jpg", number), session=session)
        images.set_state(3, "done", session=session)
    with engines.reading() as session:
        first = images.page(1, session=session, limit=10)
        second = images.page(1, session=session, limit=10, after=first[-1].id)
        assert [row.id for row in first + second] == list(range(1, 21))
        assert [row.id for row in images.page(1, session=session, limit=9, state="done")] == [3]
        assert images.count(1, session=session, search="img_1") == 10
        assert images.count(1, session=session, search="%") == 0
        assert [row.id for row in images.some([9, 999, 2], session=session)] == [9, 2]
        assert images.progress(1, session=session).done == 1


def test_the_same_photo_is_one_image_and_a_deleted_one_comes_back(engines: Engines) -> None:
    with engines.writing() as session:
        assert images.insert(new_image("again.jpg", 0), session=session) == (1, False)
        assert images.soft_delete([1], session=session) == 1
        assert images.soft_delete([1], session=session) == 0
        with pytest.raises(MissingRow):
            images.get(1, session=session)
        assert images.insert(new_image("again.jpg", 0), session=session) == (1, True)
        assert images.get(1, session=session).id == 1


def test_work_and_skips_are_kept_taken_back_and_dropped(engines: Engines) -> None:
    with engines.writing() as session:
        work.put(1, 1, "o1", {"points": [1]}, session=session)
        work.put(1, 1, "o2", {"points": [2]}, session=session)
        kept = work.get(1, 1, session=session)
        assert kept is not None
        assert (kept.object_key, kept.state) == ("o2", {"points": [2]})
        work.drop(1, 1, session=session, object_key="o1")
        assert work.get(1, 1, session=session) is not None
        work.drop(1, 1, session=session, object_key="o2")
        assert work.get(1, 1, session=session) is None
        for _ in range(2):
            skip_id, _created = skips.insert(
                "s",
                image_id=1,
                person_id=1,
                object_key="o2",
                reason="timer",
                state={"a": 1},
                times=Times(),
                session=session,
            )
        assert [skip.id for skip in skips.open_of_image(1, session=session)] == [skip_id]
        skips.take_back("s", session=session)
        skips.take_back(skip_id, session=session)
        assert skips.open_of_image(1, session=session) == []
        skips.put_back("s", session=session)
        assert len(skips.open_of_image(1, session=session)) == 1


def test_people_and_projects_are_found_or_named_missing(engines: Engines) -> None:
    with engines.writing() as session:
        person = people.get_or_create("owner", session=session)
        people.set_preferences(person.id, {"keys": {"accept": "q"}}, session=session)
        assert people.get(person.id, session=session).preferences == {"keys": {"accept": "q"}}
        projects.set_settings(1, {"min_area": 5}, session=session)
        assert projects.get(1, session=session).settings == {"min_area": 5}
        with pytest.raises(MissingRow):
            people.get(9, session=session)
        with pytest.raises(MissingRow):
            projects.get(9, session=session)
        with pytest.raises(MissingRow):
            masks.get(9, session=session)


def test_a_database_that_is_taken_away_is_missed_and_found_again(sqlite: Engines, tmp_path: Path) -> None:
    """An open file goes on without a name: what is written to it then is lost."""
    (path,) = tmp_path.glob("*.db")
    away = tmp_path / "away"
    with sqlite.reading() as session:
        assert images.get(1, session=session).name == "a.jpg"
    _move(path, away)
    for _ in range(2):
        with pytest.raises(StorageError, match="but its file is gone"), sqlite.writing() as session:
            images.insert(new_image("lost.jpg", 5), session=session)
        with pytest.raises(StorageError, match="but its file is gone"), sqlite.reading() as session:
            images.get(1, session=session)
    assert not path.exists(), "an empty one in its place would be taken for a new library"
    _move(away, path)
    with sqlite.writing() as session:
        images.insert(new_image("kept.jpg", 6), session=session)
    with sqlite.reading() as session:
        assert images.count(1, session=session) == 2


def test_a_database_put_in_its_place_is_the_one_from_then_on(sqlite: Engines, tmp_path: Path) -> None:
    (path,) = tmp_path.glob("*.db")
    with sqlite.writing() as session:
        images.insert(new_image("later.jpg", 5), session=session)
    sqlite.dispose()
    other = tmp_path / "other"
    shutil.copy(path, other)
    with sqlite.writing() as session:
        images.insert(new_image("latest.jpg", 6), session=session)
    other.replace(path)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with sqlite.reading() as session:
        assert images.count(1, session=session) == 2


def _move(source: Path, target: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        part = source.with_name(source.name + suffix)
        if part.exists():
            part.rename(target.with_name(target.name + suffix))


def test_a_server_that_was_started_anew_is_spoken_to_again(postgresql: Engines, server: Server) -> None:
    with postgresql.reading() as session:
        assert images.count(1, session=session) == 1
    server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'")
    with postgresql.reading() as session:
        assert images.count(1, session=session) == 1


def test_a_connection_that_breaks_undoes_its_transaction(postgresql: Engines, server: Server) -> None:
    def break_off() -> None:
        with postgresql.writing() as session:
            images.insert(new_image("lost.jpg", 5), session=session)
            server.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'")
            images.insert(new_image("lost too.jpg", 6), session=session)

    with pytest.raises(StorageError, match="the database must answer"):
        break_off()
    with postgresql.reading() as session:
        assert images.count(1, session=session) == 1


def test_a_writer_does_not_wait_for_ever(postgresql: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.engine._PATIENCE_MS", 50)

    def write() -> None:
        with postgresql.writing() as session:
            projects.set_settings(1, {}, session=session)

    with postgresql.writing() as first:
        projects.set_settings(1, {}, session=first)
        with pytest.raises(StorageError, match=r"the database must answer, got: .* due to lock timeout"):
            write()
    write()


def test_writers_who_wait_leave_connections_to_readers(engines: Engines) -> None:
    """More writers wait than all connections together, and each of them works in the end."""
    many = 30

    def write(number: int) -> None:
        with engines.writing() as session:
            settings_store.put(f"writer-{number}", {}, session=session)

    def read() -> int:
        with engines.reading() as session:
            return images.count(1, session=session)

    with ThreadPoolExecutor(many + 1) as pool:
        with engines.writing() as first:
            settings_store.put("first", {}, session=first)
            writers = [pool.submit(write, number) for number in range(many)]
            held: Any = engines.write.pool
            while held.checkedout() < held.size():
                pass
            assert pool.submit(read).result(10) == 1
            assert not any(one.done() for one in writers)
        for one in writers:
            one.result(30)
    with engines.reading() as session:
        assert all(settings_store.get(f"writer-{n}", session=session) == {} for n in range(many))


@pytest.mark.parametrize("way", ["read", "write"])
def test_who_finds_no_connection_is_told_so(engines: Engines, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.engine._READERS_WAIT_S", 0.1)
    monkeypatch.setattr("storage.engine._PATIENCE_MS", 100)
    hasty = make_engines(engines.read.url.render_as_string(hide_password=False))
    pool: Any = getattr(hasty, way).pool
    session_of = hasty.reading if way == "read" else hasty.writing
    with ExitStack() as stack:
        for _ in range(READERS if way == "read" else WRITERS):
            stack.callback(pool.connect().close)
        refused = pytest.raises(StorageError, match="the database must answer, got: too many ask it at once")
        with refused, session_of() as session:
            images.count(1, session=session)
    with session_of() as session:
        assert images.count(1, session=session) == 1
    hasty.dispose()


def test_a_database_that_is_not_there_is_named_without_the_password(server: Server) -> None:
    engines = make_engines(server.url("nowhere").replace("masksmith@", "masksmith:secret@"))
    with pytest.raises(StorageError, match=r'the database must answer, got: .*"nowhere" does not exist') as caught:
        migrate.pending(engines)
    assert "secret" not in str(caught.value)
