"""People, their sign-ins, and what they did."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person, their preferences, and how they may sign in; `must_change` while their password was made for them.

    `email` is their address at an identity provider, `subject` the account there that first came with it.
    """

    id: int
    name: str
    preferences: dict[str, Any]
    role: str = "annotator"
    password_hash: str | None = field(default=None, repr=False)
    must_change: bool = False
    deactivated_at: datetime | None = None
    email: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SignInRow:
    """A sign-in that holds, and whose it is; `must_change` if that person's password is due before anything else."""

    id: int
    person_id: int
    name: str
    role: str
    must_change: bool
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person as the team's page shows them: when they were last seen, and what they accepted since a moment.

    `masks` counts those not deleted since, `active_ms` is their active time together.
    """

    id: int
    name: str
    role: str
    has_password: bool
    must_change: bool
    deactivated_at: datetime | None
    email: str | None
    seen_at: datetime | None
    masks: int
    active_ms: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that somebody did, when; `image` is the image's name."""

    id: int
    at: datetime
    person: str | None
    kind: str
    image: str | None
    mask_id: int | None
    detail: dict[str, Any]
