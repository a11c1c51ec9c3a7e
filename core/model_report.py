"""What the Models page shows: the versions with how they were made, measured, and how they do in use."""

from dataclasses import dataclass

from core import versions
from core.metrics import Effort, effort
from core.workshop import Workshop
from storage import tallies
from storage.rows import ModelVersionRow
from storage.tallies import Tallies


@dataclass(frozen=True, slots=True)
class VersionReport:
    """A version, whether it answers now, and how it did in use (None: no mask came of it)."""

    version: ModelVersionRow
    answers: bool
    use: Effort | None


def report(shop: Workshop) -> list[VersionReport]:
    """Return every version, newest first."""
    now = versions.answering(shop)
    with shop.engines.reading() as session:
        counted = tallies.read(shop.project_id, session=session)
    used = {int(version): _use(counted.chosen(counted.versions == version)) for version in set(counted.versions)}
    return [VersionReport(row, row.id == now.id, used.get(row.id)) for row in versions.every(shop)]


def _use(counted: Tallies) -> Effort | None:
    found = effort(counted)
    return found if found.assisted else None
