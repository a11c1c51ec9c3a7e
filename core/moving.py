"""Moving a library's database to another server, or back into a file."""

from collections.abc import Callable
from dataclasses import dataclass

from core.workshop import Library
from storage import moving
from storage.engine import make_engines
from storage.errors import StorageError
from storage.moving import CopiedTable


@dataclass(frozen=True, slots=True)
class Moved:
    """What was copied, table by table, and where the files still are."""

    database: str
    tables: tuple[CopiedTable, ...]
    files: str

    @property
    def rows(self) -> int:
        """How many rows were copied."""
        return sum(table.rows for table in self.tables)

    def sentence(self) -> str:
        """Return what was done, and what is left to do."""
        return (
            f"{self.rows} rows of {len(self.tables)} tables are in the {self.database} database now, and compared. "
            f"Set DATABASE_URL to its address to use it. The files stay in {self.files}; the old database is kept."
        )


def move_to(library: Library, url: str, *, progress: Callable[[int, int], None] | None = None) -> Moved:
    """Copy the library's database into the empty one at `url`, all of it or nothing; files stay where they are.

    Raises
    ------
    StorageError
        If the database at `url` cannot be reached, has rows already or cannot hold a row.
    """
    try:
        target = make_engines(url, named="the target")
        try:
            tables = moving.copy(library.engines, target, progress=progress)
        finally:
            target.dispose()
    except StorageError as error:
        raise StorageError(f"nothing was copied: {error}") from error
    return Moved(target.read.dialect.name, tables, library.files.address)
