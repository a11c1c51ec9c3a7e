"""Databases copied into others: every row of every table, or nothing."""

import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Date, Float, Integer, LargeBinary, insert, inspect, select
from sqlmodel import SQLModel

from storage import images, migrate
from storage.engine import Engines, make_engines
from storage.errors import StorageError
from storage.moving import copy
from storage.types import UTCDateTime
from tests.conftest import DATABASES
from tests.storage.conftest import new_image

TABLES = SQLModel.metadata.sorted_tables
BOUND = {
    "person.role": "reviewer",
    "image.state": "done",
    "mask.origin": "assisted",
    "mask.assigned": "by_hand",
    "region.kind": "plate",
    "region.x0": 0.0,
    "region.y0": 0.0,
    "region.source": "drawn",
    "prompt.kind": "point",
    "agreement_round.kind": "agreement",
    "audit.method": "risk",
    "job.state": "failed",
    "review.rating": 7,
}
"""Values of columns that take only some."""
ODD: list[Any] = [{"a": -0.0, "b": 1e22, "é": [1.5, None, True, "\N{GRINNING FACE}"]}, [], {}, 0.1, None]
MADE = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


def value(column: Column[Any], number: int) -> Any:
    """Return something that a column can hold, another for each number from 1 on."""
    name = f"{column.table.name}.{column.name}"
    if name in BOUND:
        return BOUND[name]
    if column.foreign_keys and column.nullable and number == 1:
        return None
    if isinstance(column.type, UTCDateTime):
        return None if column.nullable and number == 2 else MADE
    if isinstance(column.type, Date):
        return date(2026, 1, number)
    if isinstance(column.type, Integer):
        return number
    if isinstance(column.type, Float):
        return number / 3
    if isinstance(column.type, JSON):
        return ODD[number % len(ODD)]
    if isinstance(column.type, Boolean):
        return number == 1
    return bytes([number, 0, 255]) if isinstance(column.type, LargeBinary) else f"{number} é\N{SNOWMAN}"


def put_rows(engines: Engines, count: int = 3) -> None:
    """Put some rows into every table that there is."""
    with engines.writing() as session:
        for table in TABLES:
            rows = [{column.name: value(column, number) for column in table.columns} for number in range(1, count + 1)]
            session.execute(insert(table), rows)


def all_rows(engines: Engines) -> dict[str, list[tuple[Any, ...]]]:
    with engines.reading() as session:
        return {table.name: sorted(map(tuple, session.execute(select(table)).all()), key=repr) for table in TABLES}


@pytest.fixture
def fresh(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Engines]]:
    """Makes databases without a table."""
    made: list[Engines] = []

    def make(kind: str) -> Engines:
        there = kind == "postgresql"
        url = request.getfixturevalue("server").make() if there else f"sqlite:///{tmp_path / f'{len(made)}.db'}"
        made.append(make_engines(url))
        return made[-1]

    yield make
    for engines in made:
        engines.dispose()


Fresh = Callable[[str], Engines]


@pytest.fixture
def source(fresh: Fresh) -> Engines:
    """A SQLite database with rows in every table."""
    made = fresh("sqlite")
    migrate.upgrade(made)
    put_rows(made)
    return made


@pytest.mark.parametrize("ways", [("sqlite",), ("postgresql",), ("postgresql", "postgresql", "sqlite")])
@pytest.mark.parametrize("migrated", [True, False])
def test_every_row_of_every_table_is_copied(
    fresh: Fresh, source: Engines, ways: tuple[str, ...], migrated: bool
) -> None:
    wanted = all_rows(source)
    assert all(wanted.values())
    here = source
    for kind in ways:
        there = fresh(kind)
        if migrated:
            migrate.upgrade(there)
        copied = copy(here, there)
        assert {table.name: table.rows for table in copied} == {name: len(rows) for name, rows in wanted.items()}
        assert all_rows(there) == wanted
        here = there
    assert not migrate.pending(here)
    assert all_rows(source) == wanted


@pytest.mark.parametrize("kind", DATABASES)
def test_what_is_added_next_has_the_next_id(fresh: Fresh, source: Engines, kind: str) -> None:
    there = fresh(kind)
    copy(source, there)
    with there.writing() as session:
        assert images.insert(new_image("next.jpg", 99), session=session) == (4, True)


@pytest.mark.parametrize("kind", DATABASES)
def test_a_target_with_rows_is_refused_and_left_alone(fresh: Fresh, source: Engines, kind: str) -> None:
    there = fresh(kind)
    migrate.upgrade(there)
    with there.writing() as session:
        session.execute(insert(SQLModel.metadata.tables["setting"]), [{"key": "k", "value": {}}])
    before = all_rows(there)
    with pytest.raises(StorageError, match="the target must be empty, but its table setting has rows"):
        copy(source, there)
    assert all_rows(there) == before


def test_a_database_is_not_copied_into_itself(source: Engines) -> None:
    before = all_rows(source)
    with pytest.raises(StorageError, match="the target must be empty"):
        copy(source, source)
    assert all_rows(source) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE mask SET label = 'a' || char(0) || 'b' WHERE id = 3", "every row of mask, got: .*NUL"),
        ("UPDATE review SET verdict = 'much more than sixteen characters'", "every row of review, got: value too long"),
        ("UPDATE job SET asked = '{\"a\": NaN}'", "every row of job, got: .*json"),
        ("UPDATE edit SET at_ms = 99999999999", "every row of edit, got: .*integer out of range"),
    ],
)
def test_a_row_that_the_target_cannot_hold_is_named_and_nothing_stays(
    fresh: Fresh, source: Engines, change: str, says: str
) -> None:
    with source.write.begin() as connection:
        connection.exec_driver_sql(change)
    there = fresh("postgresql")
    with pytest.raises(StorageError, match=f"the target must hold {says}"):
        copy(source, there)
    with there.read.connect() as connection:
        assert inspect(connection).get_table_names() == []


@pytest.mark.parametrize("kind", DATABASES)
def test_a_target_that_keeps_something_else_is_found_out(fresh: Fresh, source: Engines, kind: str) -> None:
    there = fresh(kind)
    migrate.upgrade(there)
    change = "UPDATE image SET width = width + 1 WHERE id = new.id;"
    with there.write.begin() as connection:
        if kind == "sqlite":
            connection.exec_driver_sql(f"CREATE TRIGGER odd AFTER INSERT ON image BEGIN {change} END")
        else:
            body = f"$$BEGIN {change} RETURN NULL; END$$"
            connection.exec_driver_sql(f"CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS {body}")
            connection.exec_driver_sql("CREATE TRIGGER odd AFTER INSERT ON image FOR EACH ROW EXECUTE FUNCTION odd()")
    with pytest.raises(StorageError, match=r"the target must keep image as it was, 3 rows with checksum \w+…, got 3"):
        copy(source, there)
    assert not any(all_rows(there).values())


@pytest.mark.parametrize("kind", DATABASES)
def test_the_source_is_read_in_one_state(fresh: Fresh, source: Engines, kind: str) -> None:
    here, there = source, fresh("sqlite")
    if kind == "postgresql":
        here = fresh(kind)
        copy(source, here)
    wanted = all_rows(here)

    def go_on(done: int, total: int) -> None:
        with here.writing() as session:
            images.insert(new_image(f"{done}.jpg", 100 + done), session=session)

    copy(here, there, progress=go_on)
    assert all_rows(there) == wanted
    assert len(all_rows(here)["image"]) > 3


KILLED = """
import sys, time
from storage.engine import make_engines
from storage.moving import copy
def progress(done, total):
    if done > total / 2:
        print("half", flush=True)
        time.sleep(60)
copy(make_engines(sys.argv[1]), make_engines(sys.argv[2]), progress=progress)
"""


@pytest.mark.parametrize("kind", DATABASES)
def test_a_copy_that_is_killed_leaves_nothing_and_the_next_one_goes_through(
    fresh: Fresh, source: Engines, kind: str
) -> None:
    there = fresh(kind)
    urls = [str(engines.read.url) for engines in (source, there)]
    process = subprocess.Popen([sys.executable, "-c", KILLED, *urls], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.kill()
    with there.read.connect() as connection:
        assert inspect(connection).get_table_names() == []
    copy(source, there)
    assert all_rows(there) == all_rows(source)


@pytest.mark.parametrize(("kind", "other"), [DATABASES, DATABASES[::-1]])
def test_memory_does_not_grow_with_the_rows(fresh: Fresh, kind: str, other: str) -> None:
    rows, length = 5000, 2000
    here, there = fresh(kind), fresh(other)
    migrate.upgrade(here)
    made = [{"at": MADE, "kind": "k", "detail": {"text": "x" * length}}] * rows
    with here.writing() as session:
        session.execute(insert(SQLModel.metadata.tables["event"]), made)
    tracemalloc.start()
    try:
        copy(here, there)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < rows * length / 2
