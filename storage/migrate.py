"""Bringing a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.engine import Engines

_FOLDER = Path(__file__).parent / "migrations"


def upgrade(engines: Engines, revision: str = "head") -> None:
    """Apply every migration that the database lacks, in one transaction."""
    config = _config()
    with engines.write.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def pending(engines: Engines) -> bool:
    """Return whether the database lacks a migration."""
    with engines.read.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current != ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
