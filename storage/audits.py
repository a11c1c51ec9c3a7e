"""Queries about audits: random samples of masks that are given to review."""

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import exists, func, select, text
from sqlalchemy import insert as insert_rows
from sqlmodel import Session, col

from storage.errors import MissingRow
from storage.live import accepted_mask
from storage.models import UNANSWERED, Audit, AuditItem, FlagRow, Image, Mask, Review
from storage.rows import AuditableRow, AuditItemRow, AuditRow, JudgedRow

APPROVED = "approve"
_AT_ONCE: Final = 1000


def auditable_ids(project_id: int, *, session: Session) -> Sequence[int]:
    """Return the ids of all live masks that nobody has reviewed yet; eight bytes each, however many there are."""
    query = _auditable(select(col(Mask.id)), project_id)
    return array("q", session.scalars(query.execution_options(yield_per=_AT_ONCE)))


def auditable(project_id: int, *, session: Session) -> Iterator[AuditableRow]:
    """Yield every live mask that nobody has reviewed yet, with what samples are drawn by."""
    flags = (
        select(func.count())
        .select_from(FlagRow)
        .where(col(FlagRow.mask_id) == col(Mask.id), text(UNANSWERED))
        .scalar_subquery()
    )
    columns = select(
        col(Mask.id),
        col(Mask.person_id),
        col(Mask.model_version_id),
        col(Mask.area) * 1.0 / (col(Image.width) * col(Image.height)),
        col(Mask.predicted_iou),
        col(Mask.edited),
        flags,
    )
    query = _auditable(columns, project_id).execution_options(yield_per=_AT_ONCE)
    return (AuditableRow(*row) for row in session.execute(query))


def _auditable(query: Any, project_id: int) -> Any:
    return (
        query.join(Image, col(Image.id) == col(Mask.image_id))
        .where(
            col(Image.project_id) == project_id,
            col(Image.deleted_at).is_(None),
            accepted_mask(),
            ~exists().where(col(Review.mask_id) == col(Mask.id)),
        )
        .order_by(col(Mask.id))
    )


def approved(project_id: int, *, session: Session) -> list[int]:
    """Return the live masks on which every verdict so far was to approve."""
    said = exists().where(col(Review.mask_id) == col(Mask.id))
    query = (
        select(col(Mask.id))
        .join(Image, col(Image.id) == col(Mask.image_id))
        .where(
            col(Image.project_id) == project_id,
            col(Image.deleted_at).is_(None),
            accepted_mask(),
            said,
            ~exists().where(col(Review.mask_id) == col(Mask.id), col(Review.verdict) != APPROVED),
        )
        .order_by(col(Mask.id))
    )
    return [int(found) for found in session.scalars(query) if found is not None]


def add(
    project_id: int,
    *,
    person_id: int,
    method: str,
    population: int,
    reviewers: int,
    plan: dict[str, Any],
    items: Sequence[AuditItemRow],
    session: Session,
) -> int:
    """Keep an audit with its sample, in the order of its drawing, and return its id."""
    audit = Audit(
        project_id=project_id,
        person_id=person_id,
        method=method,
        population=population,
        reviewers=reviewers,
        plan=plan,
    )
    session.add(audit)
    session.flush()
    audit_id = audit.id or 0
    rows = [
        {
            "audit_id": audit_id,
            "mask_id": item.mask_id,
            "ordinal": ordinal,
            "chance": item.chance,
            "known": item.known,
        }
        for ordinal, item in enumerate(items)
    ]
    session.execute(insert_rows(AuditItem), rows)
    return audit_id


def count_drawn(project_id: int, *, session: Session) -> int:
    """Return how many masks all audits of a project have drawn, those mixed in as known ones left out."""
    query = select(func.count()).select_from(AuditItem).join(Audit, col(Audit.id) == col(AuditItem.audit_id))
    return int(session.execute(query.where(col(Audit.project_id) == project_id, ~col(AuditItem.known))).scalar_one())


def get(audit_id: int, *, session: Session) -> AuditRow:
    """Return an audit.

    Raises
    ------
    MissingRow
        If there is none.
    """
    found = session.execute(_sized().where(col(Audit.id) == audit_id)).one_or_none()
    if found is None:
        raise MissingRow(f"audit {audit_id} must exist, but does not")
    return _row(*found)


def every(project_id: int, *, session: Session) -> list[AuditRow]:
    """Return a project's audits, newest first."""
    query = _sized().where(col(Audit.project_id) == project_id).order_by(col(Audit.id).desc())
    return [_row(*found) for found in session.execute(query)]


def items(audit_id: int, *, session: Session) -> list[AuditItemRow]:
    """Return an audit's sample, in the order of its drawing."""
    query = select(col(AuditItem.mask_id), col(AuditItem.chance), col(AuditItem.known))
    query = query.where(col(AuditItem.audit_id) == audit_id)
    return [AuditItemRow(*row) for row in session.execute(query.order_by(col(AuditItem.ordinal)))]


def next_mask(audit: AuditRow, person_id: int, *, but_own: bool, session: Session) -> int | None:
    """Return the first mask of an audit that this person may still review, None if there is none.

    Masks that were deleted meanwhile are passed over; one that was corrected is reviewed as it was drawn.

    Parameters
    ----------
    but_own : bool
        Whether the person's own masks are left out.
    """
    given = (
        select(func.count())
        .select_from(Review)
        .where(col(Review.audit_id) == audit.id, col(Review.mask_id) == col(AuditItem.mask_id))
        .scalar_subquery()
    )
    mine = exists().where(
        col(Review.audit_id) == audit.id,
        col(Review.mask_id) == col(AuditItem.mask_id),
        col(Review.person_id) == person_id,
    )
    query = (
        select(col(AuditItem.mask_id))
        .join(Mask, col(Mask.id) == col(AuditItem.mask_id))
        .where(col(AuditItem.audit_id) == audit.id, col(Mask.deleted_at).is_(None), given < audit.reviewers, ~mine)
        .order_by(col(AuditItem.ordinal))
    )
    if but_own:
        query = query.where(col(Mask.person_id) != person_id)
    found = session.scalars(query.limit(1)).first()
    return None if found is None else int(found)


def judged(project_id: int, *, session: Session) -> list[JudgedRow]:
    """Return the verdicts of a project's audits on masks that were not painted on and have a predicted IoU."""
    query = (
        select(
            col(Mask.id),
            col(Mask.model_version_id),
            col(Mask.predicted_iou),
            col(AuditItem.chance),
            col(Review.verdict),
            col(Review.iou),
        )
        .join(Review, col(Review.mask_id) == col(Mask.id))
        .join(
            AuditItem,
            (col(AuditItem.mask_id) == col(Review.mask_id)) & (col(AuditItem.audit_id) == col(Review.audit_id)),
        )
        .join(Audit, col(Audit.id) == col(AuditItem.audit_id))
        .where(
            col(Audit.project_id) == project_id,
            col(AuditItem.known).is_(False),
            col(Mask.edited).is_(False),
            col(Mask.predicted_iou).is_not(None),
        )
        .order_by(col(Mask.id), col(Review.id))
    )
    return [JudgedRow(*row) for row in session.execute(query)]


def _sized() -> Any:
    """Select audits, each with the size of its sample, known masks aside."""
    size = (
        select(func.count())
        .select_from(AuditItem)
        .where(col(AuditItem.audit_id) == col(Audit.id), col(AuditItem.known).is_(False))
        .scalar_subquery()
    )
    return select(Audit, size)


def _row(audit: Audit, size: int) -> AuditRow:
    return AuditRow(
        id=audit.id or 0,
        person_id=audit.person_id,
        method=audit.method,
        population=audit.population,
        reviewers=audit.reviewers,
        plan=audit.plan,
        created_at=audit.created_at,
        size=size,
    )
