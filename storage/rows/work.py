"""What somebody has in work, or left to others."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AtWorkRow:
    """An object that somebody has in work, on which image and since when."""

    person_id: int
    image_id: int
    image: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class WorkRow:
    """The object in work of one person on one image; its version is a new word each time it is kept, by a tab."""

    image_id: int
    object_key: str
    state: dict[str, Any]
    updated_at: datetime
    version: str
    client: str


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """Who is on an image, since when, and until when without a further sign of life."""

    image_id: int
    person_id: int
    name: str
    taken_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReturnedRow:
    """A mask that a reviewer sent back to its author, and its image."""

    mask_id: int
    image_id: int


@dataclass(frozen=True, slots=True)
class SkipRow:
    """An object in the hard queue."""

    id: int
    key: str
    image_id: int
    object_key: str
    reason: str
    state: dict[str, Any]
    created_at: datetime
