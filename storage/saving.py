"""Masks as they are saved: once for a key, with pixels, prompts, edits and flags."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy import insert as insert_rows
from sqlmodel import Session, col

from storage import flags, tallies
from storage.masks import set_superseded
from storage.models import EditRow, Mask, MaskRle, PromptRow
from storage.rows import NewMask
from storage.tables import table_of
from storage.types import now

_MASK: Final = table_of(Mask)
_BY_KEY: Final = select(_MASK.c.id).where(_MASK.c.key == bindparam("key"))
_INSERT: Final = insert_rows(_MASK).returning(_MASK.c.id)
_INSERT_RLE, _INSERT_PROMPTS, _INSERT_EDITS = (insert_rows(table_of(model)) for model in (MaskRle, PromptRow, EditRow))


def insert(new: NewMask, *, session: Session) -> tuple[int, bool]:
    """Save a mask with its pixels, prompts, edits and flags; return (id, whether this call made it).

    The same key again changes nothing and returns the first one's id. What it supersedes is marked so.
    """
    known = session.execute(_BY_KEY, {"key": new.key}).scalar_one_or_none()
    if known is not None:
        return int(known), False
    with tallies.changing([new.supersedes_id], session=session) as changed:
        mask_id = int(session.execute(_INSERT, columns(new, now())).scalar_one())
        changed.append(mask_id)
        _insert_children(mask_id, new, session)
        if new.supersedes_id is not None:
            set_superseded(new.supersedes_id, True, session)
    return mask_id, True


def columns(new: NewMask, made: datetime) -> dict[str, Any]:
    """Return the row of a mask that is made now, as the table has it."""
    return {
        "key": new.key,
        "image_id": new.image_id,
        "person_id": new.person_id,
        "model_version_id": new.model_version_id,
        "supersedes_id": new.supersedes_id,
        "object_key": new.object_key,
        "origin": new.origin,
        "assigned": new.assigned,
        "label": new.label,
        "area": new.area,
        "bbox_x": new.bbox[0],
        "bbox_y": new.bbox[1],
        "bbox_width": new.bbox[2],
        "bbox_height": new.bbox[3],
        "predicted_iou": new.predicted_iou,
        "stability_score": new.stability_score,
        "candidate_level": new.candidate_level,
        "candidate_rank": new.candidate_rank,
        "edited": new.edited,
        "kept_iou": new.kept_iou,
        "concavity": new.concavity,
        "waiting_ms": new.times.waiting_ms,
        "thinking_ms": new.times.thinking_ms,
        "prompting_ms": new.times.prompting_ms,
        "painting_ms": new.times.painting_ms,
        "created_at": made,
    }


def _insert_children(mask_id: int, new: NewMask, session: Session) -> None:
    runs = {"mask_id": mask_id, "height": new.height, "width": new.width, "counts": new.counts}
    session.execute(_INSERT_RLE, runs)
    prompts = [
        {
            "mask_id": mask_id,
            "ordinal": ordinal,
            "kind": prompt.kind,
            "x": prompt.x,
            "y": prompt.y,
            "x1": prompt.x1,
            "y1": prompt.y1,
            "label": prompt.label,
            "at_ms": prompt.at_ms,
        }
        for ordinal, prompt in enumerate(new.prompts)
    ]
    if prompts:
        session.execute(_INSERT_PROMPTS, prompts)
    edits = [
        {"mask_id": mask_id, "ordinal": n, "kind": edit.kind, "detail": edit.detail, "at_ms": edit.at_ms}
        for n, edit in enumerate(new.edits)
    ]
    if edits:
        session.execute(_INSERT_EDITS, edits)
    flags.insert(mask_id, new.flags, session=session)


def is_known(key: str, *, session: Session) -> bool:
    """Return whether a mask was saved under a key."""
    return session.execute(_BY_KEY, {"key": key}).first() is not None


def same(mask_id: int, image_id: int, counts: str, *, session: Session) -> bool:
    """Return whether a mask, deleted or not, is on this image and has these pixels."""
    query = select(col(Mask.id)).join(MaskRle, col(MaskRle.mask_id) == col(Mask.id))
    query = query.where(col(Mask.id) == mask_id, col(Mask.image_id) == image_id, col(MaskRle.counts) == counts)
    return session.execute(query).first() is not None
