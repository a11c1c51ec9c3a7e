"""Masks with what belongs to them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple


class RunsRow(NamedTuple):
    """A mask's pixels as runs, and the box around them: x, y, width, height."""

    mask_id: int
    height: int
    width: int
    counts: str
    bbox: tuple[int, int, int, int]


class ExportMaskRow(NamedTuple):
    """A mask as exports need it."""

    id: int
    area: int
    bbox_x: int
    bbox_y: int
    bbox_width: int
    bbox_height: int
    label: str | None
    predicted_iou: float | None
    stability_score: float | None
    origin: str
    edited: bool
    height: int
    width: int
    counts: str


@dataclass(frozen=True, slots=True)
class Times:
    """Active time of an object in milliseconds, split by what it went into."""

    waiting_ms: int = 0
    thinking_ms: int = 0
    prompting_ms: int = 0
    painting_ms: int = 0

    @property
    def active_ms(self) -> int:
        """All of it together."""
        return self.waiting_ms + self.thinking_ms + self.prompting_ms + self.painting_ms


@dataclass(frozen=True, slots=True)
class NewPrompt:
    """A prompt as it was given: a point with its label, or a box with its second corner."""

    kind: str
    x: float
    y: float
    x1: float | None = None
    y1: float | None = None
    label: int | None = None
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class NewEdit:
    """An edit as it was made."""

    kind: str
    detail: dict[str, Any] = field(default_factory=dict)
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class NewFlag:
    """What a check said."""

    name: str
    severity: str
    message: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FlagRow:
    """A kept flag and what was done about it."""

    id: int
    mask_id: int
    name: str
    severity: str
    message: str
    detail: dict[str, Any]
    resolution: str | None


@dataclass(frozen=True, slots=True)
class NewMask:
    """A mask to be saved under an idempotency key."""

    key: str
    image_id: int
    person_id: int
    object_key: str
    origin: str
    height: int
    width: int
    counts: str
    area: int
    bbox: tuple[int, int, int, int]
    model_version_id: int | None = None
    supersedes_id: int | None = None
    assigned: str | None = None
    label: str | None = None
    predicted_iou: float | None = None
    stability_score: float | None = None
    candidate_level: str | None = None
    candidate_rank: int | None = None
    edited: bool = False
    kept_iou: float | None = None
    concavity: float | None = None
    times: Times = Times()
    prompts: tuple[NewPrompt, ...] = ()
    edits: tuple[NewEdit, ...] = ()
    flags: tuple[NewFlag, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskRow:
    """An accepted mask with its pixels as COCO RLE counts."""

    id: int
    key: str
    image_id: int
    person_id: int
    model_version_id: int | None
    supersedes_id: int | None
    object_key: str
    origin: str
    label: str | None
    area: int
    bbox: tuple[int, int, int, int]
    predicted_iou: float | None
    stability_score: float | None
    candidate_level: str | None
    candidate_rank: int | None
    edited: bool
    kept_iou: float | None
    times: Times
    created_at: datetime
    height: int
    width: int
    counts: str
    prompts: tuple[NewPrompt, ...] = ()
    flags: tuple[FlagRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Touched:
    """A mask or skip that was to be changed, the image it is on, and whether there was anything to change."""

    id: int
    image_id: int
    changed: bool


@dataclass(frozen=True, slots=True)
class AnswersRow:
    """What people made of a check's flags: said in all, upheld (mended), refused (kept as it was), and those that
    were open when their mask was deleted, which is the answer where nothing mends; those whose mask has a verdict, and
    those of them whose mask some reviewer did not approve.
    """

    name: str
    said: int
    upheld: int
    refused: int
    deleted: int
    reviewed: int
    faulted: int
