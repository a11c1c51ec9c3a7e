"""What an annotator does to a library, and what it notes of that."""

from typing import Any

import numpy as np

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
