"""Images and what is known of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.models.base import OPEN, UNRANKED, json_field, time_field


class Image(SQLModel, table=True):
    """A photo in the library: its original, its working image and its place in the queue.

    Priority 1 comes first and 3 last; within one, images come by `place`, then by id. `version` counts how often
    somebody has said how far it is, `state_by` is who said so last.
    """

    __table_args__ = (
        UniqueConstraint("project_id", "sha256"),
        CheckConstraint("state IN ('new', 'in_work', 'done')", name="state"),
        CheckConstraint("width > 0 AND height > 0", name="size"),
        Index(
            "ix_image_open",
            "project_id",
            "priority",
            "place",
            "id",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index(
            "ix_image_order",
            "project_id",
            "priority",
            "place",
            "id",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_image_queue",
            "project_id",
            "state",
            "id",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_image_page",
            "project_id",
            "id",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("ix_image_name", "project_id", "name"),
        Index("ix_image_working_sha256", "working_sha256"),
        Index("ix_image_thumb_sha256", "thumb_sha256"),
        Index(
            "ix_image_live_masks",
            "project_id",
            "live_masks",
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    name: str = Field(max_length=255)
    sha256: str = Field(max_length=64)
    working_sha256: str = Field(max_length=64)
    thumb_sha256: str = Field(max_length=64)
    width: int
    height: int
    original_width: int
    original_height: int
    original_format: str = Field(max_length=16)
    original_bytes: int
    state: str = Field(default="new", max_length=16)
    version: int = 1
    state_by: int | None = None
    priority: int = 2
    place: int = UNRANKED
    live_masks: int = 0
    created_at: datetime = time_field()
    deleted_at: datetime | None = time_field(nullable=True)


class Search(SQLModel, table=True):
    """That a detector looked for faces and number plates on an image, and that somebody looked at what it found."""

    __table_args__ = (UniqueConstraint("image_id"), Index("ix_search_review", "project_id", "seen_at", "image_id"))

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    image_id: int = Field(foreign_key="image.id")
    detector: str = Field(max_length=200)
    searched_at: datetime = time_field()
    seen_at: datetime | None = time_field(nullable=True)
    seen_by: int | None = Field(default=None, foreign_key="person.id")


class RegionRow(SQLModel, table=True):
    """A face or number plate on an image that is blurred, or was until somebody removed its box."""

    __tablename__ = "region"
    __table_args__ = (
        CheckConstraint("kind IN ('face', 'plate')", name="kind"),
        CheckConstraint("source IN ('found', 'drawn')", name="source"),
        CheckConstraint("x0 < x1 AND y0 < y1", name="box"),
        Index("ix_region_image_id", "image_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    image_id: int = Field(foreign_key="image.id")
    kind: str = Field(max_length=16)
    x0: float
    y0: float
    x1: float
    y1: float
    source: str = Field(max_length=16)
    score: float | None = None
    person_id: int | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = time_field()
    removed_at: datetime | None = time_field(nullable=True)
    removed_by: int | None = Field(default=None, foreign_key="person.id")


class DiscardedFile(SQLModel, table=True):
    """A file of the store to be deleted unless an image uses it: noted with what made it needless, so none is left."""

    __tablename__ = "discarded_file"

    kind: str = Field(max_length=16, primary_key=True)
    sha256: str = Field(max_length=64, primary_key=True)


class Survey(SQLModel, table=True):
    """What a model found on an image that no mask covers, and which others the image looks like.

    `masks` and `mask_ids` are count and sum of ids of the masks it was made beside: a survey is fresh while they hold.
    """

    __table_args__ = (
        UniqueConstraint("image_id"),
        Index("ix_survey_left_over", "project_id", "left_over", "image_id"),
        Index("ix_survey_cluster", "project_id", "cluster", "image_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    image_id: int = Field(foreign_key="image.id")
    content_hash: str = Field(max_length=64)
    encoder_hash: str = Field(max_length=64)
    masks: int
    mask_ids: int = Field(sa_type=BigInteger)
    proposals: int
    left_over: int
    coverage: float
    uncovered: float
    detail: dict[str, Any] = json_field()
    spread: dict[str, Any] = json_field()
    summary: bytes | None = None
    cluster: int | None = None
    made_at: datetime = time_field()
