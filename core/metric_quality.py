"""What verdicts say of the masks that were chosen on the Metrics page."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from core.auditing import GOOD
from core.metrics import Chosen
from core.statistics import Interval, wilson
from core.workshop import Library
from storage import reviews, skips
from storage.rows import JudgementRow


@dataclass(frozen=True, slots=True)
class Reliability:
    """Masks of predicted IoU from `low` on: how many were judged, and the means of what was predicted and measured."""

    low: float
    count: int
    predicted: float
    measured: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What verdicts say; those are no random sample unless they were given in an audit.

    Attributes
    ----------
    verdicts : dict of str to int
    above95, from90, below90 : int
        Masks by IoU with what a reviewer makes of them: approved ones have 1, rejected and sent back ones none.
    good : Interval
        Share of at least 0.9.
    rating : float, optional
    reliability : tuple of Reliability
        Of masks that were not painted on.
    skips : dict of str to int
        Skipped objects by reason.
    """

    verdicts: dict[str, int]
    above95: int
    from90: int
    below90: int
    good: Interval
    rating: float | None
    reliability: tuple[Reliability, ...]
    skips: dict[str, int]


def quality(library: Library, chosen: Chosen) -> Quality:
    """Return what the verdicts of what was chosen say, by the day they were given."""
    with library.engines.reading() as session:
        rows = reviews.judgements(library.project_id, by=chosen.narrow(), session=session)
        skipped = skips.reasons(library.project_id, by=chosen.narrow(), session=session)
    measured = [(row, iou) for row in rows if (iou := iou_of(row)) is not None]
    values = np.array([iou for _, iou in measured])
    above, good = int((values > 0.95).sum()), int((values >= GOOD).sum())
    ratings = [row.rating for row in rows if row.rating is not None]
    return Quality(
        verdicts=dict(Counter(row.verdict for row in rows)),
        above95=above,
        from90=good - above,
        below90=len(measured) - good,
        good=wilson(good / len(measured) if measured else 0.0, len(measured)),
        rating=float(np.mean(ratings)) if ratings else None,
        reliability=_reliability(measured),
        skips=skipped,
    )


def iou_of(row: JudgementRow) -> float | None:
    """Return a mask's IoU with what its reviewer makes of it, None while it is to be fixed but is not yet."""
    return {"approve": 1.0, "fix": row.iou}.get(row.verdict, 0.0)


def _reliability(measured: list[tuple[JudgementRow, float]]) -> tuple[Reliability, ...]:
    told = np.array(
        [(row.predicted_iou, iou) for row, iou in measured if not row.edited and row.predicted_iou is not None]
    )
    if not told.size:
        return ()
    bins = np.clip((told[:, 0] * 10).astype(int), 0, 9)
    return tuple(
        Reliability(place / 10, int(there.sum()), float(told[there, 0].mean()), float(told[there, 1].mean()))
        for place in range(10)
        if (there := bins == place).any()
    )
