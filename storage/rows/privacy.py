"""Faces and number plates."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NewBox:
    """A face or number plate to be blurred, in working-image pixels; `score` if a detector found it."""

    kind: str
    box: tuple[float, float, float, float]
    score: float | None = None


@dataclass(frozen=True, slots=True)
class BoxRow:
    """A face or number plate that is blurred, or was: found by a detector, or drawn by a person."""

    id: int
    image_id: int
    kind: str
    box: tuple[float, float, float, float]
    source: str
    score: float | None
    person_id: int | None
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SearchRow:
    """That an image was searched for faces and plates, by which detector, and when somebody looked at the outcome."""

    image_id: int
    detector: str
    seen_at: datetime | None
