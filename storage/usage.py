"""Queries about how model versions do in use."""

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from storage.images import live_mask
from storage.models import Mask, PromptRow
from storage.rows import UsageRow


def by_version(*, session: Session) -> dict[int, UsageRow]:
    """Return how each model version did with the live masks that came of it. Cost grows with the number of masks."""
    prompts = (
        select(func.count()).select_from(PromptRow).where(col(PromptRow.mask_id) == col(Mask.id)).scalar_subquery()
    )
    active = col(Mask.waiting_ms) + col(Mask.thinking_ms) + col(Mask.prompting_ms) + col(Mask.painting_ms)
    each = (
        select(
            col(Mask.model_version_id).label("version"),
            prompts.label("prompts"),
            active.label("active_ms"),
            col(Mask.candidate_rank).label("rank"),
            col(Mask.edited).label("edited"),
        )
        .where(live_mask(), col(Mask.model_version_id).is_not(None), col(Mask.origin) == "assisted")
        .subquery()
    )
    unchanged = case(
        ((each.c.prompts == 1) & (each.c.rank == 0) & each.c.edited.is_(False), 1),
        else_=0,
    )
    query = select(
        each.c.version,
        func.count(),
        func.avg(each.c.prompts),
        func.avg(each.c.active_ms),
        func.avg(unchanged),
    ).group_by(each.c.version)
    return {
        row[0]: UsageRow(int(row[1]), float(row[2]), float(row[3]) / 1e3, float(row[4]))
        for row in session.execute(query)
    }
