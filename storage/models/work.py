"""What somebody has in work, left to others, or a process does."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.models.base import json_field, time_field


class Lease(SQLModel, table=True):
    """Who is on an image, in which tab, and until when without a further sign of life."""

    __table_args__ = (Index("ix_lease_person_id", "person_id"), Index("ix_lease_expires_at", "expires_at"))

    image_id: int = Field(foreign_key="image.id", primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    client: str = Field(default="", max_length=64)
    taken_at: datetime = time_field()
    expires_at: datetime = time_field()


class Overlap(SQLModel, table=True):
    """An image that is done and meant for a second annotator, and who that is once somebody has taken it."""

    __table_args__ = (
        Index(
            "ix_overlap_waiting",
            "project_id",
            "image_id",
            sqlite_where=text("second_id IS NULL"),
            postgresql_where=text("second_id IS NULL"),
        ),
    )

    image_id: int = Field(foreign_key="image.id", primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    first_id: int = Field(foreign_key="person.id")
    second_id: int | None = Field(default=None, foreign_key="person.id")


class Work(SQLModel, table=True):
    """The object in work of one person on one image, as the canvas described it last; each time under a new version."""

    __table_args__ = (UniqueConstraint("image_id", "person_id"),)

    id: int | None = Field(default=None, primary_key=True)
    image_id: int = Field(foreign_key="image.id")
    person_id: int = Field(foreign_key="person.id")
    object_key: str = Field(max_length=64)
    version: str = Field(default="", max_length=32)
    client: str = Field(default="", max_length=64)
    state: dict[str, Any] = json_field()
    started_at: datetime = time_field()
    updated_at: datetime = time_field()


class Skip(SQLModel, table=True):
    """An object left for the hard queue, with what it needs to be taken up again."""

    __table_args__ = (
        Index(
            "ix_skip_open",
            "image_id",
            sqlite_where=text("taken_back_at IS NULL"),
            postgresql_where=text("taken_back_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=64, unique=True)
    image_id: int = Field(foreign_key="image.id")
    person_id: int = Field(foreign_key="person.id")
    object_key: str = Field(max_length=64)
    reason: str = Field(max_length=32)
    state: dict[str, Any] = json_field()
    waiting_ms: int = 0
    thinking_ms: int = 0
    prompting_ms: int = 0
    painting_ms: int = 0
    created_at: datetime = time_field()
    taken_back_at: datetime | None = time_field(nullable=True)


class Job(SQLModel, table=True):
    """Work that goes on beside the server, in a process of its own that holds a lease while it lives."""

    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
        Index("ix_job_kind", "kind", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=32)
    state: str = Field(default="queued", max_length=16)
    asked: dict[str, Any] = json_field()
    progress: dict[str, Any] = json_field()
    message: str | None = Field(default=None, max_length=500)
    cancel_asked: bool = False
    lease_until: datetime | None = time_field(nullable=True)
    holder: str | None = Field(default=None, max_length=32)
    created_at: datetime = time_field()
    ended_at: datetime | None = time_field(nullable=True)
