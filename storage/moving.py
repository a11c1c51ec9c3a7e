"""A whole database copied into another: all rows or none, and compared before they are there."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

import storage.models  # noqa: F401  (fills the metadata)
from storage import migrate
from storage.engine import Engines, said
from storage.errors import StorageError

BATCH: Final = 200
_SUMS: Final = 1 << 256


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """How many rows of a table were copied, and the checksum that they have in both databases."""

    name: str
    rows: int
    checksum: str


def copy(
    source: Engines, target: Engines, *, progress: Callable[[int, int], None] | None = None
) -> tuple[CopiedTable, ...]:
    """Copy every row into a database that has none, in one transaction; its tables are made or brought up to date.

    The source is read in one state, whoever writes to it meanwhile. Memory holds some hundred rows. What the target
    keeps is read back and compared before it is committed, so a copy that fails or is killed leaves nothing.

    Parameters
    ----------
    progress : callable, optional
        Told how many rows of how many are copied.

    Raises
    ------
    StorageError
        If the target has rows already, cannot hold a row, or keeps another one than it was given.
    """
    migrate.pending(target)  # refuses the schema of a newer version
    tables = SQLModel.metadata.sorted_tables
    with source.reading() as reading, target.writing() as writing:
        here, there = reading.connection(), writing.connection()
        migrate.upgrade_within(there)
        for table in tables:
            if there.execute(select(table).limit(1)).first() is not None:
                raise StorageError(f"the target must be empty, but its table {table.name} has rows")
        total = sum(_count(table, here) for table in tables)
        done = 0

        def given(batch: Sequence[Any]) -> Sequence[Any]:
            nonlocal done
            done += len(batch)
            if progress is not None:
                progress(done, total)
            return batch

        copied = [_copy(table, map(given, _batches(table, here)), there) for table in tables]
        for one, table in zip(copied, tables, strict=True):
            _compare(one, table, there)
            _set_sequence(table, there)
    return tuple(copied)


def _copy(table: Table, batches: Iterable[Sequence[Any]], there: Connection) -> CopiedTable:
    rows, checksum = 0, 0
    for batch in batches:
        try:
            there.execute(insert(table), [dict(row._mapping) for row in batch])
        except DBAPIError as error:
            raise StorageError(f"the target must hold every row of {table.name}, got: {said(error)}") from error
        rows += len(batch)
        checksum += sum(map(_digest, batch))
    return CopiedTable(table.name, rows, _hex(checksum))


def _compare(copied: CopiedTable, table: Table, there: Connection) -> None:
    rows, checksum = 0, 0
    for batch in _batches(table, there):
        rows += len(batch)
        checksum += sum(map(_digest, batch))
    if (rows, _hex(checksum)) != (copied.rows, copied.checksum):
        raise StorageError(
            f"the target must keep {table.name} as it was, {copied.rows} rows with checksum {copied.checksum[:12]}…, "
            f"got {rows} with {_hex(checksum)[:12]}…"
        )


def _batches(table: Table, connection: Connection) -> Iterator[Sequence[Any]]:
    """Yield a table's rows in the order of their keys: a mask comes after the one that it corrects."""
    query = select(table).order_by(*table.primary_key.columns)
    return connection.execute(query, execution_options={"yield_per": BATCH}).partitions()


def _count(table: Table, connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _set_sequence(table: Table, there: Connection) -> None:
    """Let the next row's id follow the highest one; SQLite does so by itself."""
    column = table.autoincrement_column
    if there.dialect.name != "postgresql" or column is None:
        return
    highest = there.execute(select(func.max(column))).scalar_one()
    name = there.execute(select(func.pg_get_serial_sequence(table.name, column.name))).scalar_one()
    if highest is not None:
        there.execute(text(f"ALTER SEQUENCE {name} RESTART WITH {int(highest) + 1}"))


def _digest(row: Any) -> int:
    """Return a number that stands for a row. Those of all rows are added up: databases order texts differently."""
    written = json.dumps(list(row), default=_written)
    alike = json.dumps(json.loads(written, parse_float=_number), sort_keys=True)
    return int.from_bytes(hashlib.sha256(alike.encode()).digest())


def _number(written: str) -> float:
    """Return a number in one way: JSONB keeps 1e22 as a whole one, and no sign of zero."""
    value = float(written)
    return int(value) if value.is_integer() else value


def _written(value: object) -> str:
    if isinstance(value, date):  # datetimes are dates
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"a stored value must be comparable, got {type(value).__name__}")


def _hex(checksum: int) -> str:
    return f"{checksum % _SUMS:064x}"
