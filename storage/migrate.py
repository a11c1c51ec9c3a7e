"""Bringing a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from storage.engine import Engines
from storage.errors import StorageError

_FOLDER = Path(__file__).parent / "migrations"


def upgrade(engines: Engines, revision: str = "head") -> None:
    """Apply every migration that the database lacks, in one transaction."""
    with engines.writing() as session:
        upgrade_within(session.connection(), revision)


def upgrade_within(connection: Connection, revision: str = "head") -> None:
    """Apply every migration that the database lacks, in the transaction that a connection is in."""
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, revision)


def pending(engines: Engines) -> bool:
    """Return whether the database lacks a migration.

    Raises
    ------
    StorageError
        If it cannot be read, or a newer version of the app has changed it.
    """
    with engines.reading() as session:
        current = MigrationContext.configure(session.connection()).get_current_revision()
    scripts = ScriptDirectory.from_config(config())
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise StorageError(f"the database must be of this version or an older one, got the unknown schema {current!r}")
    return current != scripts.get_current_head()


def config() -> Config:
    """Return where Alembic finds the migrations."""
    made = Config()
    made.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return made
