"""A copy of a running library's database, and what it refers to."""

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlmodel import Session, col

from storage.engine import Engines
from storage.errors import DiskFull, StorageError
from storage.models import Image, ModelVersion, Project

KINDS: Final = ("originals", "working", "thumbs", "checkpoints", "guidelines")
"""Kinds of files that cannot be made again from the others."""


def on_sqlite(engines: Engines) -> bool:
    """Return whether the database is a file that can be copied here."""
    return engines.read.dialect.name == "sqlite"


def copy(engines: Engines, target: Path) -> None:
    """Write one state of a SQLite database into the new file `target`, while others go on writing.

    Raises
    ------
    StorageError
        If the database cannot be read, or the file not be written; no file is left then.
    """
    try:
        source = engines.read.raw_connection()
        try:
            with contextlib.closing(sqlite3.connect(target)) as made:
                source.driver_connection.backup(made)  # type: ignore[union-attr]
                # One file: what the log beside it would hold is in it.
                made.execute("PRAGMA journal_mode=DELETE")
        finally:
            source.close()
    except (sqlite3.Error, SQLAlchemyError) as error:
        target.unlink(missing_ok=True)
        said = getattr(error, "orig", None) or error
        kind = DiskFull if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL" else StorageError
        raise kind(f"the database must be readable and its copy writable, got: {said}") from error


@contextmanager
def opened(path: Path) -> Iterator[Session]:
    """Yield a session that reads a copy and changes nothing, not even beside it.

    Raises
    ------
    StorageError
        If it is no database, or one of another kind.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=NullPool)
    try:
        with Session(engine) as session:
            yield session
    except SQLAlchemyError as error:
        said = getattr(error, "orig", None) or type(error).__name__
        raise StorageError(f"the copy of the database must be readable, got: {said}") from error
    finally:
        engine.dispose()


def check(session: Session) -> None:
    """Let a copy pass that is whole and holds nothing but tables and their indexes.

    Raises
    ------
    StorageError
        If a page is damaged, a row refers to none, or there are triggers, views or the like, which run by themselves.
    """
    session.execute(text("PRAGMA trusted_schema=OFF"))
    strange = session.scalars(
        text("SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index') OR sql LIKE 'CREATE VIRTUAL%'")
    ).first()
    if strange is not None:
        raise StorageError(f"the database must hold plain tables only, got {str(strange)[:60]!r}")
    found = session.execute(text("PRAGMA integrity_check(1)")).scalar()
    if found != "ok":
        raise StorageError(f"the database must be whole, got: {str(found)[:200]}")
    torn = session.execute(text("PRAGMA foreign_key_check")).first()
    if torn is not None:
        raise StorageError(f"every row must refer to one that exists, but one of the table {torn[0]} does not")


def counts(session: Session) -> dict[str, int]:
    """Return how many rows each table has."""
    tables = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")).all()
    connection = session.connection()
    return {name: connection.exec_driver_sql(f'SELECT count(*) FROM "{_quoted(name)}"').scalar_one() for name in tables}


def references(session: Session) -> set[tuple[str, str]]:
    """Return kind and hash of every file that cannot be made again: photos in three sizes, retrained weights, and
    pictures of guidelines.

    Raises
    ------
    StorageError
        If a version of a model, or a project's settings, are anything but a JSON object.
    """
    photos = select(col(Image.sha256), col(Image.working_sha256), col(Image.thumb_sha256))
    found = {(kind, str(name)) for row in session.execute(photos) for kind, name in zip(KINDS, row, strict=False)}
    try:
        heads = [detail.get("head") for detail in session.scalars(select(col(ModelVersion.detail)))]
    except (AttributeError, ValueError, RecursionError) as error:
        raise StorageError("a model's version must be described by a JSON object, but one is not") from error
    try:
        settings = session.scalars(select(col(Project.settings)))
        pictures = {str(one["sha256"]) for said in settings for one in said.get("guideline_pictures", [])}
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
        raise StorageError("a project's settings must be a JSON object with pictures by hash, but are not") from error
    return found | {("checkpoints", str(head)) for head in heads if head} | {("guidelines", one) for one in pictures}


def _quoted(name: str) -> str:
    return name.replace('"', '""')
