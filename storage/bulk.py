"""Many rows at once: what an import or a benchmark puts in, many times faster than one by one."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert
from sqlmodel import Session, col

from storage import tallies
from storage.live import IMPORTED
from storage.models import Image, Mask, MaskRle
from storage.rows import NewImage, NewMask
from storage.saving import columns
from storage.types import now


def add_images(new: Sequence[NewImage], *, session: Session) -> list[int]:
    """Put images into the library that are not there yet, their files in the store already; return their ids."""
    rows = [{"state": "new", "created_at": now(), **asdict(image)} for image in new]
    if not rows:
        return []
    query = insert(Image).returning(col(Image.id), sort_by_parameter_order=True)
    return [int(found) for found in session.scalars(query, rows) if found is not None]


def add_masks(new: Sequence[NewMask], *, session: Session) -> list[int]:
    """Put masks with their pixels into the library and return their ids.

    Their keys must be new. Imported ones are proposals, and not counted until somebody accepts them. Prompts, edits
    and flags are not kept, and none may supersede another.
    """
    made = now()
    rows = [columns(mask, made) for mask in new]
    if not rows:
        return []
    query = insert(Mask).returning(col(Mask.id), sort_by_parameter_order=True)
    ids = [int(found) for found in session.scalars(query, rows) if found is not None]
    pixels = [
        {"mask_id": mask_id, "height": mask.height, "width": mask.width, "counts": mask.counts}
        for mask_id, mask in zip(ids, new, strict=True)
    ]
    session.execute(insert(MaskRle), pixels)
    tallies.count([mask_id for mask_id, mask in zip(ids, new, strict=True) if mask.origin != IMPORTED], session=session)
    return ids
