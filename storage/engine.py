"""The database connection: a reading view and a writing view of one pool."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlmodel import Session

from storage.errors import StorageError

__all__ = ["Engines", "Session", "make_engines"]

_PATIENCE_MS: Final = 10_000
"""How long a writer waits for another."""
_PRAGMAS = (
    "journal_mode=WAL",
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
    """One pool, two views: `read` begins deferred transactions, `write` takes the write lock at once.

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


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StorageError(f"the database must answer, got: {said(error)}") from error


def said(error: DBAPIError) -> str:
    """Return what the driver said, in one line and without values of rows."""
    lines = str(error.orig).splitlines() or [type(error.orig).__name__]
    return lines[0]


def make_engines(url: str, *, named: str = "DATABASE_URL") -> Engines:
    """Return the engines of the database at `url`, which is `named` so; a SQLite file's folder is made when missing.

    Raises
    ------
    StorageError
        If the URL names no database that can be spoken to, or the folder cannot be made.
    """
    engine = _engine(url, named)
    if engine.dialect.name != "sqlite":
        return _locking(engine)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy sends BEGIN, not the driver
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return Engines(engine, engine.execution_options(write=True))


def _engine(url: str, named: str) -> Engine:
    try:
        address = make_url(url)
        if address.get_backend_name() != "sqlite":
            # A server may be started anew while the app runs: its old connections are noticed before they are used.
            return create_engine(address, isolation_level="REPEATABLE READ", pool_pre_ping=True)
        if address.database and address.database != ":memory:":
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        return create_engine(address)
    except (ArgumentError, ImportError) as error:
        # The URL itself stays out of the sentence: it may hold a password.
        raise StorageError(f"{named} must name a database with an installed driver, got: {error}") from error
    except OSError as error:
        raise StorageError(f"the database's folder must be writable, got: {error.strerror}") from error


def _locking(engine: Engine) -> Engines:
    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("write"):
            # As on SQLite nobody waits for ever: the writer before may hang, or its machine be gone.
            patience = f"set_config('lock_timeout', '{_PATIENCE_MS}', true)"
            connection.exec_driver_sql(f"SELECT {patience}, pg_advisory_xact_lock({_WRITER})")

    return Engines(engine, engine.execution_options(write=True, isolation_level="READ COMMITTED"))
