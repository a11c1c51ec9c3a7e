"""Masks, what belongs to them, and who answered."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from storage.models.base import IMPORTED, LIVE, RETURNED, UNANSWERED, json_field, time_field


class ModelVersion(SQLModel, table=True):
    """Weights that answered prompts: what they are, and where they come from."""

    __tablename__ = "model_version"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200)
    content_hash: str = Field(max_length=64, unique=True)
    encoder_hash: str = Field(max_length=64)
    parent_id: int | None = Field(default=None, foreign_key="model_version.id")
    detail: dict[str, Any] = json_field()
    created_at: datetime = time_field()


class Mask(SQLModel, table=True):
    """What an annotator accepted. Never overwritten: a correction is a new row that supersedes this one.

    `returned_at` is when a reviewer sent it back to its author, while that verdict stands.
    """

    __table_args__ = (
        CheckConstraint("origin IN ('assisted', 'by_hand', 'imported')", name="origin"),
        CheckConstraint("assigned IN ('assisted', 'by_hand')", name="assigned"),
        Index("ix_mask_live", "image_id", "id", sqlite_where=text(LIVE), postgresql_where=text(LIVE)),
        Index("ix_mask_imported", "image_id", sqlite_where=text(IMPORTED), postgresql_where=text(IMPORTED)),
        Index("ix_mask_returned", "person_id", "id", sqlite_where=text(RETURNED), postgresql_where=text(RETURNED)),
        Index("ix_mask_supersedes_id", "supersedes_id"),
        Index("ix_mask_created_at", "created_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=64, unique=True)
    image_id: int = Field(foreign_key="image.id")
    person_id: int = Field(foreign_key="person.id")
    model_version_id: int | None = Field(default=None, foreign_key="model_version.id")
    supersedes_id: int | None = Field(default=None, foreign_key="mask.id")
    superseded_at: datetime | None = time_field(nullable=True)
    deleted_at: datetime | None = time_field(nullable=True)
    returned_at: datetime | None = time_field(nullable=True)
    object_key: str = Field(max_length=64)
    origin: str = Field(max_length=16)
    assigned: str | None = Field(default=None, max_length=16)
    label: str | None = Field(default=None, max_length=200)
    area: int
    bbox_x: int
    bbox_y: int
    bbox_width: int
    bbox_height: int
    predicted_iou: float | None = None
    stability_score: float | None = None
    candidate_level: str | None = Field(default=None, max_length=16)
    candidate_rank: int | None = None
    edited: bool = False
    kept_iou: float | None = None
    concavity: float | None = None
    waiting_ms: int = 0
    thinking_ms: int = 0
    prompting_ms: int = 0
    painting_ms: int = 0
    created_at: datetime = time_field()


class Tally(SQLModel, table=True):
    """Counters over the live masks of one day, person and model version (0 for none) in a project."""

    project_id: int = Field(foreign_key="project.id", primary_key=True)
    day: date = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id", primary_key=True)
    model_version_id: int = Field(primary_key=True)
    masks: int
    sums: bytes


class MaskRle(SQLModel, table=True):
    """The pixels of a mask, in a table of their own so that statistics never read them."""

    __tablename__ = "mask_rle"

    mask_id: int = Field(foreign_key="mask.id", primary_key=True)
    height: int
    width: int
    counts: str


class PromptRow(SQLModel, table=True):
    """One prompt of an accepted mask, `at_ms` after the object was begun."""

    __tablename__ = "prompt"
    __table_args__ = (
        CheckConstraint("kind IN ('point', 'box')", name="kind"),
        Index("ix_prompt_mask_id", "mask_id", "ordinal"),
    )

    id: int | None = Field(default=None, primary_key=True)
    mask_id: int = Field(foreign_key="mask.id")
    ordinal: int
    kind: str = Field(max_length=8)
    x: float
    y: float
    x1: float | None = None
    y1: float | None = None
    label: int | None = None
    at_ms: int = 0


class EditRow(SQLModel, table=True):
    """One edit of an accepted mask by brush, eraser or another tool."""

    __tablename__ = "edit"
    __table_args__ = (Index("ix_edit_mask_id", "mask_id", "ordinal"),)

    id: int | None = Field(default=None, primary_key=True)
    mask_id: int = Field(foreign_key="mask.id")
    ordinal: int
    kind: str = Field(max_length=32)
    detail: dict[str, Any] = json_field()
    at_ms: int = 0


class FlagRow(SQLModel, table=True):
    """What an automatic check said of a mask, and what the annotator did about it."""

    __tablename__ = "flag"
    __table_args__ = (
        Index("ix_flag_mask_id", "mask_id"),
        Index("ix_flag_open", "mask_id", sqlite_where=text(UNANSWERED), postgresql_where=text(UNANSWERED)),
    )

    id: int | None = Field(default=None, primary_key=True)
    mask_id: int = Field(foreign_key="mask.id")
    name: str = Field(max_length=32)
    severity: str = Field(max_length=16)
    message: str = Field(max_length=500)
    detail: dict[str, Any] = json_field()
    resolution: str | None = Field(default=None, max_length=16)
    resolved_at: datetime | None = time_field(nullable=True)
