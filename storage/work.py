"""Queries about objects in work."""

import uuid
from typing import Any, Final

from sqlalchemy import bindparam, delete, select
from sqlmodel import Session, col

from storage.models import Work
from storage.rows import WorkRow
from storage.tables import table_of
from storage.types import now

_WORK: Final = table_of(Work)
_DROP: Final = delete(_WORK).where(
    _WORK.c.image_id == bindparam("image_id"), _WORK.c.person_id == bindparam("person_id")
)
_DROP_OBJECT: Final = _DROP.where(_WORK.c.object_key == bindparam("object_key"))


def put(
    image_id: int, person_id: int, object_key: str, state: dict[str, Any], *, session: Session, client: str = ""
) -> str:
    """Keep the object in work of a person on an image, in place of what was kept before; return its version.

    `client` names the tab that it is in work in.
    """
    row = _find(image_id, person_id, session)
    if row is None:
        row = Work(image_id=image_id, person_id=person_id, object_key=object_key, state=state)
        session.add(row)
    elif row.object_key != object_key:
        row.object_key, row.started_at = object_key, now()
    row.state, row.updated_at, row.version, row.client = state, now(), uuid.uuid4().hex, client
    session.flush()
    return row.version


def get(image_id: int, person_id: int, *, session: Session) -> WorkRow | None:
    """Return the object in work of a person on an image, or None."""
    row = _find(image_id, person_id, session)
    return (
        None
        if row is None
        else WorkRow(row.image_id, row.object_key, row.state, row.updated_at, row.version, row.client)
    )


def drop(image_id: int, person_id: int, *, session: Session, object_key: str | None = None) -> None:
    """Forget the object in work; with `object_key`, only if it is still that one."""
    values = {"image_id": image_id, "person_id": person_id}
    if object_key is None:
        session.execute(_DROP, values)
    else:
        session.execute(_DROP_OBJECT, {**values, "object_key": object_key})


def _find(image_id: int, person_id: int, session: Session) -> Work | None:
    query = select(Work).where(col(Work.image_id) == image_id, col(Work.person_id) == person_id)
    return session.scalars(query).one_or_none()
