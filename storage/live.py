"""Which masks stand, which of them count, and how long they took.

Conditions never change, and making them takes longer than asking the database: each is made once.
"""

from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, cast, exists, text
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


@cache
def active_ms() -> Any:
    """Return a mask's active time. It is added in 64 bits: each of its times may be so long that four overflow 32."""
    waiting, *others = (Mask.waiting_ms, Mask.thinking_ms, Mask.prompting_ms, Mask.painting_ms)
    return sum((col(other) for other in others), cast(col(waiting), BigInteger))
