"""Verdicts, audits and rounds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class NewReview:
    """A verdict to be kept; `audit_id` is that of the audit it was given for, if any."""

    key: str
    mask_id: int
    person_id: int
    audit_id: int | None
    verdict: str
    rating: int | None
    codes: tuple[str, ...]
    comment: str | None
    markup: tuple[Any, ...]
    took_ms: int


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A reviewer's verdict on a mask; after a fix, the mask it was corrected to and how far it was from that."""

    id: int
    mask_id: int
    person_id: int
    audit_id: int | None
    verdict: str
    rating: int | None
    codes: tuple[str, ...]
    comment: str | None
    markup: tuple[Any, ...]
    took_ms: int
    corrected_id: int | None
    iou: float | None
    boundary_iou: float | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audit: how its sample was drawn from how many masks, and how many reviewers each mask gets."""

    id: int
    person_id: int
    method: str
    population: int
    reviewers: int
    plan: dict[str, Any]
    created_at: datetime
    size: int


@dataclass(frozen=True, slots=True)
class AuditItemRow:
    """A mask of an audit, with what chance it was drawn, and whether it was known to be good before."""

    mask_id: int
    chance: float
    known: bool = False


@dataclass(frozen=True, slots=True)
class AuditableRow:
    """What an audit's sample is drawn by, of a live mask; of its flags, how many are grave and not answered."""

    mask_id: int
    person_id: int
    model_version_id: int | None
    share: float
    predicted_iou: float | None
    edited: bool
    flags: int


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A round: the same images given to several people, blind; `passing` is what a calibration asks for."""

    id: int
    project_id: int
    person_id: int
    name: str
    kind: str
    passing: dict[str, float]
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SeatRow:
    """A person's place in a round, and how far they are; nobody's (None) holds the agreed masks."""

    round_id: int
    person_id: int | None
    name: str | None
    project_id: int
    passed: bool
    images: int
    done: int
    masks: int

    @property
    def finished(self) -> bool:
        """Whether every image is done."""
        return self.done == self.images


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A verdict of an audit on a mask that is as the model offered it, with what the model predicted."""

    mask_id: int
    model_version_id: int | None
    predicted_iou: float
    chance: float
    verdict: str
    iou: float | None


@dataclass(frozen=True, slots=True)
class JudgementRow:
    """A verdict on a mask, its IoU with the correction if it was fixed, and what the model predicted."""

    verdict: str
    iou: float | None
    rating: int | None
    predicted_iou: float | None
    edited: bool
