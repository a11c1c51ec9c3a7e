"""The tables. Words are the glossary's; every time is UTC, every coordinate a working-image pixel."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.types import JsonObject, UTCDateTime, now

# Named constraints can be dropped later; SQLite cannot drop nameless ones. Set before the first table.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

UNANSWERED = "resolution IS NULL AND severity <> 'info'"
LIVE = "deleted_at IS NULL AND superseded_at IS NULL"
IMPORTED = f"origin = 'imported' AND {LIVE}"
RETURNED = f"returned_at IS NOT NULL AND {LIVE}"
HERE = "deactivated_at IS NULL"
OPEN = "state <> 'done' AND deleted_at IS NULL"
UNRANKED = 2**31 - 1
"""The place of images that no order has ranked: behind all that have one, among themselves as imported."""


def _time(*, nullable: bool = False) -> Any:
    return (
        Field(default=None, sa_type=UTCDateTime, nullable=True)
        if nullable
        else Field(default_factory=now, sa_type=UTCDateTime, nullable=False)
    )


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JsonObject, nullable=False))


class Project(SQLModel, table=True):
    """A library of images that are annotated under the same settings."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200)
    settings: dict[str, Any] = _json()
    created_at: datetime = _time()


class Person(SQLModel, table=True):
    """Somebody who annotates, reviews or manages; whose account is closed stays, as what they made does.

    `email` is theirs at an identity provider, in lower case; `subject` is the account there that first came with it.
    """

    __table_args__ = (
        CheckConstraint("role IN ('annotator', 'reviewer', 'manager', 'owner')", name="role"),
        CheckConstraint("email = lower(email)", name="email"),
        Index("ix_person_password_hash", "password_hash"),
        Index("ix_person_email", "email", unique=True, sqlite_where=text(HERE), postgresql_where=text(HERE)),
        Index("ix_person_subject", "subject", unique=True, sqlite_where=text(HERE), postgresql_where=text(HERE)),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200, unique=True)
    preferences: dict[str, Any] = _json()
    created_at: datetime = _time()
    role: str = Field(default="annotator", max_length=16)
    password_hash: str | None = Field(default=None, max_length=255)
    must_change: bool = False
    deactivated_at: datetime | None = _time(nullable=True)
    email: str | None = Field(default=None, max_length=254)
    subject: str | None = Field(default=None, max_length=600)


class SignIn(SQLModel, table=True):
    """A browser in which somebody is signed in. The token itself is in its cookie alone; here is its hash."""

    __tablename__ = "sign_in"
    __table_args__ = (Index("ix_sign_in_person_id", "person_id", "seen_at"),)

    id: int | None = Field(default=None, primary_key=True)
    token_sha256: str = Field(max_length=64, unique=True)
    person_id: int = Field(foreign_key="person.id")
    created_at: datetime = _time()
    seen_at: datetime = _time()
    expires_at: datetime = _time()
    revoked_at: datetime | None = _time(nullable=True)
    by_provider: bool = False


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
    created_at: datetime = _time()
    deleted_at: datetime | None = _time(nullable=True)


class Search(SQLModel, table=True):
    """That a detector looked for faces and number plates on an image, and that somebody looked at what it found."""

    __table_args__ = (UniqueConstraint("image_id"), Index("ix_search_review", "project_id", "seen_at", "image_id"))

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    image_id: int = Field(foreign_key="image.id")
    detector: str = Field(max_length=200)
    searched_at: datetime = _time()
    seen_at: datetime | None = _time(nullable=True)
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
    created_at: datetime = _time()
    removed_at: datetime | None = _time(nullable=True)
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
    detail: dict[str, Any] = _json()
    spread: dict[str, Any] = _json()
    summary: bytes | None = None
    cluster: int | None = None
    made_at: datetime = _time()


class Lease(SQLModel, table=True):
    """Who is on an image, in which tab, and until when without a further sign of life."""

    __table_args__ = (Index("ix_lease_person_id", "person_id"), Index("ix_lease_expires_at", "expires_at"))

    image_id: int = Field(foreign_key="image.id", primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    client: str = Field(default="", max_length=64)
    taken_at: datetime = _time()
    expires_at: datetime = _time()


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
    state: dict[str, Any] = _json()
    started_at: datetime = _time()
    updated_at: datetime = _time()


class ModelVersion(SQLModel, table=True):
    """Weights that answered prompts: what they are, and where they come from."""

    __tablename__ = "model_version"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200)
    content_hash: str = Field(max_length=64, unique=True)
    encoder_hash: str = Field(max_length=64)
    parent_id: int | None = Field(default=None, foreign_key="model_version.id")
    detail: dict[str, Any] = _json()
    created_at: datetime = _time()


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
    superseded_at: datetime | None = _time(nullable=True)
    deleted_at: datetime | None = _time(nullable=True)
    returned_at: datetime | None = _time(nullable=True)
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
    created_at: datetime = _time()


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
    detail: dict[str, Any] = _json()
    at_ms: int = 0


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
    state: dict[str, Any] = _json()
    waiting_ms: int = 0
    thinking_ms: int = 0
    prompting_ms: int = 0
    painting_ms: int = 0
    created_at: datetime = _time()
    taken_back_at: datetime | None = _time(nullable=True)


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
    detail: dict[str, Any] = _json()
    resolution: str | None = Field(default=None, max_length=16)
    resolved_at: datetime | None = _time(nullable=True)


class Audit(SQLModel, table=True):
    """A random sample of the masks there were, to be reviewed."""

    __table_args__ = (CheckConstraint("method IN ('simple', 'stratified', 'risk')", name="method"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    person_id: int = Field(foreign_key="person.id")
    method: str = Field(max_length=16)
    population: int
    reviewers: int = 1
    plan: dict[str, Any] = _json()
    created_at: datetime = _time()


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
    created_at: datetime = _time()


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
    passing: dict[str, Any] = _json()
    created_at: datetime = _time()
    closed_at: datetime | None = _time(nullable=True)


class Seat(SQLModel, table=True):
    """One person's place in a round: a project of their own with its images. Nobody's seat holds the agreed masks."""

    __table_args__ = (UniqueConstraint("round_id", "person_id"), Index("ix_seat_person_id", "person_id"))

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="agreement_round.id")
    person_id: int | None = Field(default=None, foreign_key="person.id")
    project_id: int = Field(foreign_key="project.id", unique=True)
    passed: bool = False


class Event(SQLModel, table=True):
    """Something a person did, when."""

    __table_args__ = (
        Index("ix_event_at", "at"),
        Index("ix_event_image_id", "image_id"),
        Index("ix_event_person_id", "person_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _time()
    person_id: int | None = Field(default=None, foreign_key="person.id")
    image_id: int | None = Field(default=None, foreign_key="image.id")
    mask_id: int | None = Field(default=None, foreign_key="mask.id")
    kind: str = Field(max_length=32)
    detail: dict[str, Any] = _json()


class Job(SQLModel, table=True):
    """Work that goes on beside the server, in a process of its own that holds a lease while it lives."""

    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
        Index("ix_job_kind", "kind", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=32)
    state: str = Field(default="queued", max_length=16)
    asked: dict[str, Any] = _json()
    progress: dict[str, Any] = _json()
    message: str | None = Field(default=None, max_length=500)
    cancel_asked: bool = False
    lease_until: datetime | None = _time(nullable=True)
    created_at: datetime = _time()
    ended_at: datetime | None = _time(nullable=True)


class Setting(SQLModel, table=True):
    """A choice made in the app, such as the segmenter."""

    key: str = Field(primary_key=True, max_length=64)
    value: dict[str, Any] = _json()
