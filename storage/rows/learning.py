"""Model versions, and jobs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelVersionRow:
    """A model version: weights that answered prompts, or that were trained to."""

    id: int
    name: str
    content_hash: str
    encoder_hash: str
    parent_id: int | None
    detail: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LearnableRow:
    """A mask that may be learned from, and the working image it is on."""

    mask_id: int
    image_id: int
    working_sha256: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job: what was asked, how far it is, and how it ended."""

    id: int
    kind: str
    state: str
    asked: dict[str, Any]
    progress: dict[str, Any]
    message: str | None
    cancel_asked: bool
    lease_until: datetime | None
    created_at: datetime
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in ("queued", "running")
