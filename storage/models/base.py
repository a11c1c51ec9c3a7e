"""What tables share: names of constraints, conditions of indexes, columns."""

from typing import Any

from sqlalchemy import Column
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


def time_field(*, nullable: bool = False) -> Any:
    """Return a column of a time in UTC, by default now; a nullable one is empty."""
    return (
        Field(default=None, sa_type=UTCDateTime, nullable=True)
        if nullable
        else Field(default_factory=now, sa_type=UTCDateTime, nullable=False)
    )


def json_field() -> Any:
    """Return a column of a JSON object, by default an empty one."""
    return Field(default_factory=dict, sa_column=Column(JsonObject, nullable=False))
