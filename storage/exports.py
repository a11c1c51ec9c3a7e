"""What an export writes of each image and mask, read in one long walk with as little as it needs."""

import contextlib
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from storage.live import accepted_mask, live_mask, proposed_mask
from storage.models import Image, Mask, MaskRle, PromptRow
from storage.rows import ExportImageRow, ExportMaskRow

_AT_ONCE: Final = 100
"""Rows fetched at a time; more are hardly faster, and hold more memory."""
_IMAGE: Final = tuple(getattr(Image, name) for name in ("id", "name", "working_sha256", "width", "height"))
_MASK: Final = (
    *(getattr(Mask, name) for name in ("id", "area", "bbox_x", "bbox_y", "bbox_width", "bbox_height", "label")),
    *(getattr(Mask, name) for name in ("predicted_iou", "stability_score", "origin", "edited")),
    col(MaskRle.height),
    col(MaskRle.width),
    col(MaskRle.counts),
)


def images(project_id: int, *, session: Session) -> Iterator[ExportImageRow]:
    """Yield every live image in order of id."""
    query = select(*_IMAGE).where(*_in_library(project_id)).order_by(col(Image.id))
    for values in _walk(query, session):
        yield ExportImageRow(*values)


def stream(project_id: int, *, session: Session) -> Iterator[tuple[ExportImageRow, list[ExportMaskRow]]]:
    """Yield every live image in order of id with its accepted masks in theirs; images without masks too.

    Memory holds one image's masks and a hundred rows, however many there are.
    """
    query = _with_masks().where(*_in_library(project_id)).order_by(col(Image.id), col(Mask.id))
    yield from _grouped(_walk(query, session))


def some(image_ids: list[int], *, session: Session) -> Iterator[tuple[ExportImageRow, list[ExportMaskRow]]]:
    """Yield these images, in the order given, with their accepted masks."""
    for image_id in image_ids:
        query = _with_masks().where(col(Image.id) == image_id).order_by(col(Mask.id))
        yield from _grouped(session.execute(query))


def clicks(image_id: int, *, session: Session) -> dict[int, list[tuple[float, float]]]:
    """Return the foreground points of an image's live masks, by mask, in the order in which they were set."""
    query = (
        select(col(PromptRow.mask_id), col(PromptRow.x), col(PromptRow.y))
        .join(Mask, col(Mask.id) == col(PromptRow.mask_id))
        .where(col(Mask.image_id) == image_id, live_mask(), col(PromptRow.kind) == "point", col(PromptRow.label) == 1)
        .order_by(col(Mask.id), col(PromptRow.ordinal))
    )
    rows = groupby(session.execute(query), key=itemgetter(0))
    return {mask_id: [(row[1], row[2]) for row in points] for mask_id, points in rows}


def count_proposals(project_id: int, *, session: Session) -> int:
    """Return how many imported masks nobody has accepted yet."""
    query = select(func.count()).select_from(Mask).join(Image, col(Image.id) == col(Mask.image_id))
    return int(session.execute(query.where(*_in_library(project_id), live_mask(), proposed_mask())).scalar_one())


def _with_masks() -> Select[Any]:
    return (
        select(*_IMAGE, *_MASK)
        .select_from(Image)
        .outerjoin(Mask, (col(Mask.image_id) == col(Image.id)) & accepted_mask())
        .outerjoin(MaskRle, col(MaskRle.mask_id) == col(Mask.id))
    )


def _in_library(project_id: int) -> tuple[Any, ...]:
    return col(Image.project_id) == project_id, col(Image.deleted_at).is_(None)


def _walk(query: Any, session: Session) -> Iterator[Any]:
    """Yield rows that are fetched as they are wanted; whoever stops before the end leaves no cursor open."""
    with contextlib.closing(session.execute(query, execution_options={"yield_per": _AT_ONCE})) as found:
        yield from found


def _grouped(rows: Any) -> Iterator[tuple[ExportImageRow, list[ExportMaskRow]]]:
    width = len(_IMAGE)
    for _, together in groupby(rows, key=itemgetter(0)):
        rows_of_one = list(together)
        first = rows_of_one[0]  # the only one, and without a mask, where there are none
        found = [ExportMaskRow(*row[width:]) for row in rows_of_one if row[width] is not None]
        yield ExportImageRow(*first[:width]), found
