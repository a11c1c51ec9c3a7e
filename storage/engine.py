"""The database connection: a pool of connections for readers, and a small one for writers."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlmodel import Session

from storage.errors import DiskFull, StorageError

__all__ = ["Engines", "Session", "make_engines"]

_PATIENCE_MS: Final = 10_000
"""How long a writer waits for another."""
READERS: Final = 15
_READERS_KEPT: Final = 5
"""Connections for readers at most, and how many of them stay open."""
_READERS_WAIT_S: Final = 30.0
"""How long a reader waits until one of them is free."""
WRITERS: Final = 5
"""Connections for writers, of whom one works at a time and the others wait for the lock."""
_PRAGMAS = (
    f"busy_timeout={_PATIENCE_MS}",
    "foreign_keys=ON",
    # FULL makes every commit reach the disk before it is acknowledged: an accepted mask must survive
    # a power cut, and NORMAL may lose the last ones in WAL mode.
    "synchronous=FULL",
)
_WRITER: Final = 0x6D61736B
"""Names the lock that one writer holds at a time on PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Engines:
    """Two pools: `read` begins deferred transactions, `write` takes the write lock at once.

    Writers wait for each other with a connection in their hands. They have a few of their own, so that readers get
    theirs however many writers wait.

    SQLite gives no error when two deferred transactions read, and both then write what they computed:
    the first update is lost. BEGIN IMMEDIATE makes the second writer wait. On PostgreSQL an advisory lock
    does so, and REPEATABLE READ gives readers the one state that they have on SQLite.
    """

    read: Engine
    write: Engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session for reading; it sees one state of the database throughout."""
        with _translated(), Session(self.read) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a session of one write transaction: committed at the end, rolled back on any error."""
        with _translated(), Session(self.write) as session, session.begin():
            yield session

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.read.dispose()
        self.write.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        full = getattr(error.orig, "sqlite_errorname", "") == "SQLITE_FULL"
        full = full or getattr(error.orig, "sqlstate", "") == "53100"  # disk_full, in PostgreSQL's list
        raise (DiskFull if full else StorageError)(f"the database must answer, got: {said(error)}") from error
    except NoneFree as error:
        raise StorageError("the database must answer, got: too many ask it at once, no connection is free") from error


def said(error: DBAPIError) -> str:
    """Return what the driver said, in one line and without values of rows."""
    lines = str(error.orig).splitlines() or [type(error.orig).__name__]
    return lines[0]


def database_file(url: str) -> Path | None:
    """Return the file of a SQLite database, None for one on a server or in memory."""
    address = make_url(url)
    named = address.database if address.get_backend_name() == "sqlite" else None
    return Path(named) if named and not named.startswith((":memory:", "file:")) else None


def make_engines(url: str, *, named: str = "DATABASE_URL") -> Engines:
    """Return the engines of the database at `url`, which is `named` so; a SQLite file's folder is made when missing.

    Raises
    ------
    StorageError
        If the URL names no database that can be spoken to, or the folder cannot be made.
    """
    read, write = _pools(url, named)
    if read.dialect.name != "sqlite":
        event.listen(write, "begin", _lock)
        return Engines(read, write.execution_options(isolation_level="READ COMMITTED"))

    for engine, begin in {read: "BEGIN", write: "BEGIN IMMEDIATE"}.items():
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", partial(_begin, begin))
    if (path := database_file(url)) is not None:
        _watch_file((read, write), path)
    return Engines(read, write)


def _begin(how: str, connection: Connection) -> None:
    connection.exec_driver_sql(how)


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy sends BEGIN, not the driver
    _log_ahead(connection)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _log_ahead(connection: Any) -> None:
    """Let a SQLite file be written ahead to a log, so that readers wait for nobody.

    A file that is not yet cannot be made so while another process has it open, and SQLite does not wait then.
    """
    until = time.monotonic() + _PATIENCE_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            waits = error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
            if not waits or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _watch_file(engines: Sequence[Engine], path: Path) -> None:
    """Let no connection go on with a file that was taken away: what it wrote would be in no file that has a name.

    A file that comes back, or another in its place, is connected to anew; none is made in place of one that there was.
    """
    there = False

    def before_connect(*_: object) -> None:
        if there and not path.exists():
            raise StorageError("the database must stay where it is while the server runs, but its file is gone")

    def on_connect(_connection: object, record: Any) -> None:
        nonlocal there
        there, record.info["file"] = True, _identity(path)

    def on_checkout(_connection: object, record: Any, _proxy: object) -> None:
        if _identity(path) != record.info["file"]:
            raise DisconnectionError

    for engine in engines:
        event.listen(engine, "do_connect", before_connect)
        event.listen(engine, "connect", on_connect)
        event.listen(engine, "checkout", on_checkout)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _pools(url: str, named: str) -> tuple[Engine, Engine]:
    """Return an engine for readers and one for writers."""
    spare = READERS - _READERS_KEPT
    reading: dict[str, Any] = {"pool_size": _READERS_KEPT, "max_overflow": spare, "pool_timeout": _READERS_WAIT_S}
    writing: dict[str, Any] = {"pool_size": WRITERS, "max_overflow": 0, "pool_timeout": _PATIENCE_MS / 1000}
    try:
        address = make_url(url)
        if address.get_backend_name() != "sqlite":
            # A server may be started anew while the app runs: its old connections are noticed before they are used.
            more: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "pool_pre_ping": True}
            return create_engine(address, **reading, **more), create_engine(address, **writing, **more)
        if not address.database or address.database == ":memory:":
            raise StorageError(f"{named} must name a file, which many connections can share, got a database in memory")
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        return create_engine(address, **reading), create_engine(address, **writing)
    except (ArgumentError, ImportError) as error:
        # The URL itself stays out of the sentence: it may hold a password.
        raise StorageError(f"{named} must name a database with an installed driver, got: {error}") from error
    except OSError as error:
        raise StorageError(f"the database's folder must be writable, got: {error.strerror}") from error


def _lock(connection: Connection) -> None:
    # As on SQLite nobody waits for ever: the writer before may hang, or its machine be gone.
    patience = f"set_config('lock_timeout', '{_PATIENCE_MS}', true)"
    connection.exec_driver_sql(f"SELECT {patience}, pg_advisory_xact_lock({_WRITER})")
