"""Projects, people and what they did."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from storage.models.base import HERE, json_field, time_field


class Project(SQLModel, table=True):
    """A library of images that are annotated under the same settings."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=200)
    settings: dict[str, Any] = json_field()
    created_at: datetime = time_field()


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
    preferences: dict[str, Any] = json_field()
    created_at: datetime = time_field()
    role: str = Field(default="annotator", max_length=16)
    password_hash: str | None = Field(default=None, max_length=255)
    must_change: bool = False
    deactivated_at: datetime | None = time_field(nullable=True)
    email: str | None = Field(default=None, max_length=254)
    subject: str | None = Field(default=None, max_length=600)


class SignIn(SQLModel, table=True):
    """A browser in which somebody is signed in. The token itself is in its cookie alone; here is its hash."""

    __tablename__ = "sign_in"
    __table_args__ = (Index("ix_sign_in_person_id", "person_id", "seen_at"),)

    id: int | None = Field(default=None, primary_key=True)
    token_sha256: str = Field(max_length=64, unique=True)
    person_id: int = Field(foreign_key="person.id")
    created_at: datetime = time_field()
    seen_at: datetime = time_field()
    expires_at: datetime = time_field()
    revoked_at: datetime | None = time_field(nullable=True)
    by_provider: bool = False


class Event(SQLModel, table=True):
    """Something a person did, when."""

    __table_args__ = (
        Index("ix_event_at", "at"),
        Index("ix_event_image_id", "image_id"),
        Index("ix_event_person_id", "person_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = time_field()
    person_id: int | None = Field(default=None, foreign_key="person.id")
    image_id: int | None = Field(default=None, foreign_key="image.id")
    mask_id: int | None = Field(default=None, foreign_key="mask.id")
    kind: str = Field(max_length=32)
    detail: dict[str, Any] = json_field()


class Setting(SQLModel, table=True):
    """A choice made in the app, such as the segmenter."""

    key: str = Field(primary_key=True, max_length=64)
    value: dict[str, Any] = json_field()
