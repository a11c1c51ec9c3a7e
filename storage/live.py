"""Which masks stand, and which of them count.

Conditions never change, and making them takes longer than asking the database: each is made once.
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import exists, text
from sqlmodel import col

from storage.models import UNANSWERED, FlagRow, Mask

IMPORTED: Final = "imported"
"""Origin of a mask from another tool, and name of the flag that is open until somebody accepts it."""


@cache
def live_mask() -> Any:
    """Return the condition of a mask that stands: neither deleted nor superseded."""
    return col(Mask.deleted_at).is_(None) & col(Mask.superseded_at).is_(None)


@cache
def proposed_mask() -> Any:
    """Return the condition of an imported mask that nobody has accepted; the literal lets SQLite use its index."""
    flag = exists().where(col(FlagRow.mask_id) == col(Mask.id), col(FlagRow.name) == IMPORTED, text(UNANSWERED))
    return text("mask.origin = 'imported'") & flag


@cache
def accepted_mask() -> Any:
    """Return the condition of a mask that counts: it stands, and is no proposal."""
    return live_mask() & ~proposed_mask()
