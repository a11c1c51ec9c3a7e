"""What an annotator does to a library, and what it notes of that."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sqlalchemy import event

from core import annotating, masks
from core.workshop import Library


def accept(library: Library, key: str, mask: np.ndarray, image_id: int = 1, **changes: Any) -> annotating.Saved:
    """Accept a mask as an annotator would."""
    accepted = annotating.Accepted(rle=masks.encode(mask), **{"object_key": f"object-{key}", **changes})
    return annotating.accept(library, image_id, key, accepted)


def events(library: Library) -> list[tuple[str, int | None, int | None]]:
    """Return what happened to images: kind, image and mask of each event, oldest first."""
    with library.engines.read.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT kind, image_id, mask_id FROM event WHERE image_id IS NOT NULL ORDER BY id"
        ).all()
    return [(row[0], row[1], row[2]) for row in rows]


@contextmanager
def said_by_writers(library: Library) -> Iterator[list[str]]:
    """Note what the database is asked by those who hold the write lock."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(library.engines.write, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(library.engines.write, "before_cursor_execute", note)
