"""Audits, verdicts and rounds."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.models.base import json_field, time_field
from storage.types import JsonObject


class Audit(SQLModel, table=True):
    """A random sample of the masks there were, to be reviewed."""

    __table_args__ = (CheckConstraint("method IN ('simple', 'stratified', 'risk')", name="method"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    person_id: int = Field(foreign_key="person.id")
    method: str = Field(max_length=16)
    population: int
    reviewers: int = 1
    plan: dict[str, Any] = json_field()
    created_at: datetime = time_field()


class AuditItem(SQLModel, table=True):
    """One mask of an audit, in the order of its drawing, and with what chance it was drawn.

    A *known* one was found good before and is mixed in to see whether reviewers find it so again.
    """

    __tablename__ = "audit_item"
    __table_args__ = (
        UniqueConstraint("audit_id", "mask_id"),
        Index("ix_audit_item_order", "audit_id", "ordinal"),
        Index("ix_audit_item_mask_id", "mask_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    audit_id: int = Field(foreign_key="audit.id")
    mask_id: int = Field(foreign_key="mask.id")
    ordinal: int
    chance: float
    known: bool = False


class Review(SQLModel, table=True):
    """A reviewer's verdict on a mask; after a fix also what the mask was corrected to, and how far it was from that."""

    __table_args__ = (
        Index("ix_review_mask_id", "mask_id"),
        Index("ix_review_audit_id", "audit_id"),
        CheckConstraint("rating BETWEEN 1 AND 10", name="rating"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str | None = Field(default=None, max_length=64, unique=True)
    mask_id: int = Field(foreign_key="mask.id")
    person_id: int = Field(foreign_key="person.id")
    audit_id: int | None = Field(default=None, foreign_key="audit.id")
    verdict: str = Field(max_length=16)
    rating: int | None = None
    codes: list[str] = Field(default_factory=list, sa_column=Column(JsonObject, nullable=False))
    comment: str | None = None
    markup: list[Any] = Field(default_factory=list, sa_column=Column(JsonObject, nullable=False))
    took_ms: int = 0
    corrected_id: int | None = Field(default=None, foreign_key="mask.id")
    iou: float | None = None
    boundary_iou: float | None = None
    created_at: datetime = time_field()


class Round(SQLModel, table=True):
    """The same images given to several people, blind, to see how far they agree."""

    __tablename__ = "agreement_round"
    __table_args__ = (
        CheckConstraint("kind IN ('agreement', 'calibration')", name="kind"),
        Index("ix_agreement_round_project_id", "project_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    person_id: int = Field(foreign_key="person.id")
    name: str = Field(max_length=200)
    kind: str = Field(max_length=16)
    passing: dict[str, Any] = json_field()
    created_at: datetime = time_field()
    closed_at: datetime | None = time_field(nullable=True)


class Seat(SQLModel, table=True):
    """One person's place in a round: a project of their own with its images. Nobody's seat holds the agreed masks."""

    __table_args__ = (UniqueConstraint("round_id", "person_id"), Index("ix_seat_person_id", "person_id"))

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="agreement_round.id")
    person_id: int | None = Field(default=None, foreign_key="person.id")
    project_id: int = Field(foreign_key="project.id", unique=True)
    passed: bool = False
