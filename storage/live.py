"""Which masks count."""

from typing import Any

from sqlmodel import col

from storage.models import Mask


def live_mask() -> Any:
    """Return the condition of a mask that counts: neither deleted nor superseded."""
    return col(Mask.deleted_at).is_(None) & col(Mask.superseded_at).is_(None)
