"""What the Models page shows: the versions with how they were made, measured, and how they do in use."""

from dataclasses import dataclass

from core import versions
from core.workshop import Workshop
from storage import usage
from storage.rows import ModelVersionRow, UsageRow


@dataclass(frozen=True, slots=True)
class VersionReport:
    """A version, whether it answers now, and how it did in use (None: no mask came of it)."""

    version: ModelVersionRow
    answers: bool
    use: UsageRow | None


def report(shop: Workshop) -> list[VersionReport]:
    """Return every version, newest first."""
    now = versions.answering(shop)
    with shop.engines.reading() as session:
        used = usage.by_version(session=session)
    return [VersionReport(row, row.id == now.id, used.get(row.id)) for row in versions.every(shop)]
