"""Choices made in the app, kept by key."""

from typing import Any

from sqlmodel import Session

from storage.models import Setting


def get(key: str, *, session: Session) -> dict[str, Any] | None:
    """Return the value kept under `key`, or None."""
    setting = session.get(Setting, key)
    return None if setting is None else setting.value


def put(key: str, value: dict[str, Any], *, session: Session) -> None:
    """Keep `value` under `key`, in place of the old one."""
    session.merge(Setting(key=key, value=value))
