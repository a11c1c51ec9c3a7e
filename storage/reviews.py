"""Queries about reviewers' verdicts, and about what waits for one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, select, text, update
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.live import live_mask, proposed_mask
from storage.models import UNANSWERED, FlagRow, Image, Mask, Review
from storage.narrowing import Narrow, narrowed
from storage.rows import JudgementRow, NewReview, ReviewRow

FIX = "fix"
SENT_BACK = "send_back"


def add(new: NewReview, *, session: Session) -> tuple[int, bool]:
    """Keep a verdict; return (id, whether this call did). The same key again changes nothing."""
    known = session.execute(select(col(Review.id)).where(col(Review.key) == new.key)).scalar_one_or_none()
    if known is not None:
        return int(known), False
    row = Review(
        key=new.key,
        mask_id=new.mask_id,
        person_id=new.person_id,
        audit_id=new.audit_id,
        verdict=new.verdict,
        rating=new.rating,
        codes=list(new.codes),
        comment=new.comment,
        markup=list(new.markup),
        took_ms=new.took_ms,
    )
    session.add(row)
    session.flush()
    return row.id or 0, True


def get(review_id: int, *, session: Session) -> ReviewRow:
    """Return a verdict.

    Raises
    ------
    MissingRow
        If there is none.
    """
    row = session.get(Review, review_id)
    if row is None:
        raise MissingRow(f"review {review_id} must exist, but does not")
    return _row(row)


def remove(review_id: int, *, session: Session) -> None:
    """Take a verdict away."""
    session.execute(delete(Review).where(col(Review.id) == review_id))


def of_masks(mask_ids: Sequence[int], *, session: Session) -> dict[int, list[ReviewRow]]:
    """Return the verdicts on each mask that has any, oldest first."""
    query = select(Review).where(col(Review.mask_id).in_(mask_ids)).order_by(col(Review.mask_id), col(Review.id))
    found: dict[int, list[ReviewRow]] = {}
    for row in session.scalars(query):
        found.setdefault(row.mask_id, []).append(_row(row))
    return found


def of_audit(audit_id: int, *, session: Session) -> list[ReviewRow]:
    """Return the verdicts given for an audit, oldest first."""
    query = select(Review).where(col(Review.audit_id) == audit_id).order_by(col(Review.id))
    return [_row(row) for row in session.scalars(query)]


def to_fix(mask_ids: Sequence[int], *, session: Session) -> list[int]:
    """Return those of some masks that have the verdict fix."""
    query = select(col(Review.mask_id)).where(col(Review.mask_id).in_(mask_ids), col(Review.verdict) == FIX)
    return [int(found) for found in session.scalars(query.distinct())]


def corrected(
    mask_id: int, corrected_id: int | None, iou: float | None, boundary_iou: float | None, *, session: Session
) -> None:
    """Note on each fix of a mask what it was corrected to and how far it was from that; None while it is not."""
    query = update(Review).where(col(Review.mask_id) == mask_id, col(Review.verdict) == FIX)
    session.execute(query.values(corrected_id=corrected_id, iou=iou, boundary_iou=boundary_iou))


def of_author(project_id: int, person_id: int, *, since: datetime, session: Session) -> list[ReviewRow]:
    """Return the verdicts on a person's masks that were given since a moment, oldest first."""
    query = (
        select(Review)
        .join(Mask, col(Mask.id) == col(Review.mask_id))
        .join(Image, col(Image.id) == col(Mask.image_id))
        .where(col(Image.project_id) == project_id, col(Mask.person_id) == person_id, col(Review.created_at) >= since)
        .order_by(col(Review.id))
    )
    return [_row(row) for row in session.scalars(query)]


def flagged(project_id: int, *, but_of: int | None, session: Session, limit: int) -> list[int]:
    """Return the live masks with a grave flag that nobody has answered and no verdict yet, oldest first.

    Parameters
    ----------
    but_of : int, optional
        A person whose masks are left out.
    """
    # The few open flags lead to their masks, not the many masks to their flags.
    flags = select(col(FlagRow.mask_id)).where(text(UNANSWERED)).distinct().subquery()
    query = select(col(Mask.id)).join(flags, flags.c.mask_id == col(Mask.id)).where(~_reviewed())
    return _waiting(query.order_by(col(Mask.id)), project_id, but_of, session, limit)


def unreviewed(project_id: int, *, but_of: int | None, session: Session, limit: int) -> list[int]:
    """Return live masks without a verdict, newest first."""
    query = select(col(Mask.id)).where(~_reviewed(), ~proposed_mask()).order_by(col(Mask.id).desc())
    return _waiting(query, project_id, but_of, session, limit)


def sent_back(project_id: int, *, session: Session, limit: int, author: int | None = None) -> list[ReviewRow]:
    """Return the verdicts by which live masks were sent back to their authors, or to one of them, oldest first."""
    query = _sent_back(select(Review), project_id).order_by(col(Review.id)).limit(limit)
    if author is not None:
        query = query.where(col(Mask.person_id) == author)
    return [_row(row) for row in session.scalars(query)]


def count_sent_back(project_id: int, *, session: Session, limit: int) -> int:
    """Return how many such verdicts there are, counted up to a limit."""
    some = _sent_back(select(col(Review.id)), project_id).limit(limit).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def judgements(project_id: int, *, by: Narrow, session: Session) -> list[JudgementRow]:
    """Return the verdicts of a time, on masks of some people and versions."""
    query = (
        select(
            col(Review.verdict),
            col(Review.iou),
            col(Review.rating),
            col(Mask.predicted_iou),
            col(Mask.edited),
        )
        .join(Mask, col(Mask.id) == col(Review.mask_id))
        .join(Image, col(Image.id) == col(Mask.image_id))
        .where(col(Image.project_id) == project_id)
        .order_by(col(Review.id))
    )
    return [JudgementRow(*row) for row in session.execute(narrowed(query, by, at=col(Review.created_at)))]


def _sent_back(query: Any, project_id: int) -> Any:
    return (
        query.join(Mask, col(Mask.id) == col(Review.mask_id))
        .join(Image, col(Image.id) == col(Mask.image_id))
        .where(
            # As a sum: see `_waiting`.
            col(Image.project_id) + 0 == project_id,
            col(Image.deleted_at).is_(None),
            live_mask(),
            col(Review.verdict) == SENT_BACK,
        )
    )


def _reviewed() -> Any:
    return exists().where(col(Review.mask_id) == col(Mask.id))


def _waiting(query: Any, project_id: int, but_of: int | None, session: Session, limit: int) -> list[int]:
    # As a sum the project is no way to the masks: walked from the images they would all be sorted for a few.
    query = query.join(Image, col(Image.id) == col(Mask.image_id)).where(
        col(Image.project_id) + 0 == project_id, col(Image.deleted_at).is_(None), live_mask()
    )
    if but_of is not None:
        query = query.where(col(Mask.person_id) != but_of)
    return [int(found) for found in session.scalars(query.limit(limit))]


def _row(row: Review) -> ReviewRow:
    return ReviewRow(
        id=row.id or 0,
        mask_id=row.mask_id,
        person_id=row.person_id,
        audit_id=row.audit_id,
        verdict=row.verdict,
        rating=row.rating,
        codes=tuple(row.codes),
        comment=row.comment,
        markup=tuple(row.markup),
        took_ms=row.took_ms,
        corrected_id=row.corrected_id,
        iou=row.iou,
        boundary_iou=row.boundary_iou,
        created_at=row.created_at,
    )
