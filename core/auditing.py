"""Audits: random samples of the masks, reviewed blind, and what they say of all."""

import math
from array import array
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any, Final, Literal

import numpy as np

from core.errors import InvalidInput
from core.projects import settings
from core.quality.calibration import Calibrated, Judged, calibrated
from core.quality.sampling import (
    AcceptancePlan,
    Drawn,
    Standing,
    by_risk,
    estimated_share,
    simple,
    standing,
    stratified,
)
from core.roles import require
from core.statistics import Interval, wilson
from core.workshop import Library
from storage import audits, events, reviews, tallies
from storage.rows import AuditableRow, AuditItemRow, AuditRow, JudgedRow, ReviewRow

Method = Literal["simple", "stratified", "risk"]
Stratum = Literal["annotator", "size", "version"]
GOOD: Final = 0.9
"""IoU with its correction from which on a mask is good, as SA-1B's quality is told."""
MOST_MASKS: Final = 10_000
MOST_KNOWN: Final = 0.5
SMALL, LARGE = 0.01, 0.1
"""Shares of the image at which a mask begins to be middling, and large."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What sample is wanted.

    Attributes
    ----------
    by : {"annotator", "size", "version"}
        Strata, for the method stratified.
    reviewers : int
        1, or 2 who do not see each other's verdict.
    plan : AcceptancePlan, optional
        When the audit may end early. Its size is drawn if it is larger than `count`.
    known : float
        Masks that were approved before are mixed in, this share of the sample on top: whoever reviews does not know
        which, and what they say of them tells how far their verdicts can be believed.
    """

    method: Method = "simple"
    count: int = 100
    by: Stratum = "annotator"
    reviewers: int = 1
    plan: AcceptancePlan | None = None
    known: float = 0.0


@dataclass(frozen=True, slots=True)
class AuditResult:
    """How far an audit is and what it says.

    Attributes
    ----------
    looked_at, pending : int
        Masks that got all their verdicts; of the others those that are to be fixed, but are not yet.
    good : Interval
        Share of all masks that have at least 0.9 IoU with what a reviewer makes of them.
    rating : float, optional
        Mean, of those rated.
    same_verdict : float, optional
        Share of masks on which two reviewers gave the same verdict.
    standing : str, optional
        What the plan says, if there is one.
    known : Interval, optional
        Share of verdicts on masks that were known to be good which found them good; not part of `good`.
    codes : dict of str to int
    """

    looked_at: int
    pending: int
    good: Interval
    known: Interval | None
    rating: float | None
    same_verdict: float | None
    standing: Standing | None
    codes: dict[str, int]


def begin(library: Library, asked: Asked, *, seed: int | None = None) -> int:
    """Draw an audit's sample from the masks that nobody has reviewed yet, and return its id.

    Raises
    ------
    InvalidInput
        If there is no such mask, or the sample cannot be meant.
    Forbidden
        If the person may not review.
    """
    require(library, "review")
    if not 1 <= asked.count <= MOST_MASKS:
        raise InvalidInput(f"an audit must have from 1 to {MOST_MASKS:,} masks, got {asked.count}")
    if asked.reviewers not in (1, 2):
        raise InvalidInput(f"a mask of an audit must get 1 or 2 reviewers, got {asked.reviewers}")
    if not 0 <= asked.known <= MOST_KNOWN:
        raise InvalidInput(f"the share of known masks must be from 0 to {MOST_KNOWN:.0%}, got {asked.known:.0%}")
    count = max(asked.count, asked.plan.size if asked.plan else 0)
    rng = np.random.default_rng(seed)
    # Drawn before anything is written: of millions of masks that takes a while, and nobody should wait meanwhile.
    with library.engines.reading() as session:
        drawn, population = _drawn(library, asked, count, rng, session)
        approved = audits.approved(library.project_id, session=session) if asked.known else []
    if not population:
        raise InvalidInput("an audit must have masks that nobody has reviewed yet, but there are none")
    items = [AuditItemRow(one.mask_id, one.chance) for one in drawn]
    items += _known(approved, round(asked.known * len(items)), rng)
    with library.engines.writing() as session:
        audit_id = audits.add(
            library.project_id,
            person_id=library.person_id,
            method=asked.method,
            population=population,
            reviewers=asked.reviewers,
            plan=asdict(asked.plan) if asked.plan else {},
            items=[items[int(place)] for place in rng.permutation(len(items))],
            session=session,
        )
        events.add("audit", person_id=library.person_id, detail={"audit_id": audit_id}, session=session)
    return audit_id


def due(library: Library) -> int | None:
    """Return how many masks are still to be drawn, by the project's audit rate; None if it asks for none."""
    rate = settings(library).audit_rate
    if not rate:
        return None
    with library.engines.reading() as session:
        masks = tallies.masks_of(library.project_id, session=session)
        return max(0, math.ceil(rate * masks) - audits.count_drawn(library.project_id, session=session))


def every(library: Library) -> list[AuditRow]:
    """Return the audits, newest first."""
    with library.engines.reading() as session:
        return audits.every(library.project_id, session=session)


def result(library: Library, audit: AuditRow) -> AuditResult:
    """Return what an audit says of all masks, from the verdicts so far.

    A mask is good if it was approved, or if it has 0.9 IoU or more with its correction; rejected and sent back ones are
    not, and one to be fixed counts once it is. Of two reviewers the stricter counts. The sample is in random order, so
    that those looked at so far are a sample too.
    """
    with library.engines.reading() as session:
        everything = audits.items(audit.id, session=session)
        given: dict[int, list[ReviewRow]] = {}
        for one in reviews.of_audit(audit.id, session=session):
            given.setdefault(one.mask_id, []).append(one)
    items = [item for item in everything if not item.known]
    mixed_in = {item.mask_id for item in everything if item.known}
    full = [(item, given[item.mask_id]) for item in items if len(given.get(item.mask_id, ())) >= audit.reviewers]
    judged = [(item, [is_good(one.verdict, one.iou) for one in said]) for item, said in full]
    settled = [(item.chance, all(good)) for item, good in judged if None not in good]
    share_seen = len(settled) / len(items) if items else 1.0
    values = [good for _, good in settled]
    good = estimated_share(values, [chance * share_seen for chance, _ in settled], audit.population)
    plan = AcceptancePlan(**audit.plan) if audit.plan else None
    again = [
        is_good(one.verdict, one.iou) is True for one in chain.from_iterable(given.get(one, ()) for one in mixed_in)
    ]
    given = {mask_id: said for mask_id, said in given.items() if mask_id not in mixed_in}
    ratings = [one.rating for said in given.values() for one in said if one.rating is not None]
    twice = [len({one.verdict for one in said}) == 1 for _, said in full if len(said) > 1]
    return AuditResult(
        looked_at=len(full),
        pending=len(full) - len(settled),
        good=good,
        known=wilson(sum(again) / len(again), len(again)) if again else None,
        rating=float(np.mean(ratings)) if ratings else None,
        same_verdict=float(np.mean(twice)) if twice else None,
        standing=standing(plan, len(settled), values.count(False)) if plan else None,
        codes=dict(Counter(code for said in given.values() for one in said for code in one.codes).most_common()),
    )


def is_good(verdict: str, iou: float | None) -> bool | None:
    """Return whether a verdict finds a mask good, None while its correction is not there.

    Parameters
    ----------
    iou : float, optional
        The mask's with its correction.
    """
    if verdict == "fix":
        return None if iou is None else iou >= GOOD
    return verdict == "approve"


def calibrations(library: Library) -> dict[int, Calibrated]:
    """Return for each model version from which predicted IoU on its answers are good, as far as audits tell.

    Of several verdicts on a mask the strictest counts.
    """
    with library.engines.reading() as session:
        rows = audits.judged(library.project_id, session=session)
    said: dict[int, list[JudgedRow]] = {}
    for row in rows:
        said.setdefault(row.mask_id, []).append(row)
    judged: dict[int, list[Judged]] = {}
    for mask_rows in said.values():
        goods = [is_good(row.verdict, row.iou) for row in mask_rows]
        first = mask_rows[0]
        if None not in goods and first.model_version_id is not None:
            one = Judged(first.predicted_iou, all(goods), 1 / first.chance)
            judged.setdefault(first.model_version_id, []).append(one)
    found = {version: calibrated(masks) for version, masks in judged.items()}
    return {version: one for version, one in found.items() if one is not None}


def _drawn(
    library: Library, asked: Asked, count: int, rng: np.random.Generator, session: Any
) -> tuple[list[Drawn], int]:
    """Return a sample and of how many masks it is; memory holds eight or sixteen bytes of each."""
    if asked.method == "simple":
        ids = audits.auditable_ids(library.project_id, session=session)
        return simple(ids, count, rng), len(ids)
    if asked.method == "stratified":
        strata: defaultdict[object, array[int]] = defaultdict(lambda: array("q"))
        for row in audits.auditable(library.project_id, session=session):
            strata[_stratum(row, asked.by)].append(row.mask_id)
        return stratified(strata.values(), count, rng), sum(map(len, strata.values()))
    if asked.method == "risk":
        ids, risks = array("q"), array("d")
        for row in audits.auditable(library.project_id, session=session):
            ids.append(row.mask_id)
            risks.append(_risk(row))
        return by_risk(ids, risks, count, rng), len(ids)
    raise InvalidInput(f"an audit's method must be simple, stratified or risk, got {asked.method!r}")


def _known(ids: list[int], count: int, rng: np.random.Generator) -> list[AuditItemRow]:
    """Return so many of the masks that are known to be good, all of them if there are fewer."""
    if not ids:
        return []
    chosen = rng.choice(ids, min(count, len(ids)), replace=False)
    return [AuditItemRow(int(one), 1.0, known=True) for one in chosen]


def _stratum(row: AuditableRow, by: Stratum) -> object:
    if by == "annotator":
        return row.person_id
    if by == "version":
        return row.model_version_id
    return "small" if row.share < SMALL else "middling" if row.share < LARGE else "large"


def _risk(row: AuditableRow) -> float:
    """Return how much likelier than others a mask is to be wrong, roughly: flags, doubt of the model, no prediction."""
    doubt = 0.5 if row.predicted_iou is None else 1 - min(1.0, max(0.0, row.predicted_iou))
    return 1 + 2 * row.flags + 4 * doubt + row.edited
