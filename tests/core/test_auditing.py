"""Audits from their drawing to what they say."""

import pytest

from core import annotating, auditing, reviewing
from core.auditing import Asked
from core.errors import InvalidInput
from core.quality.sampling import acceptance_plan
from core.reviewing import Verdict
from core.workshop import Library
from storage.rows import AuditRow
from tests.conftest import square
from tests.core.conftest import accept, said_by_writers
from tests.core.test_reviewing import somebody_else

pytestmark = pytest.mark.both_databases


@pytest.fixture
def twelve(stocked: Library) -> Library:
    """A library of twelve masks, four on each image."""
    for number in range(12):
        x, y = 5 + 30 * (number % 2), 5 + 40 * (number // 2 % 2)
        accept(stocked, f"m{number}", square(x, y, 15), image_id=1 + number // 4, predicted_iou=0.5 + number / 30)
    return stocked


def begun(library: Library, asked: Asked) -> AuditRow:
    audit_id = auditing.begin(library, asked, seed=1)
    return next(audit for audit in auditing.every(library) if audit.id == audit_id)


def review_all(library: Library, audit: AuditRow, *, wrong: int = 0) -> list[int]:
    """Go through an audit to its end; reject the first few."""
    seen: list[int] = []
    while (mask_id := reviewing.next_of_audit(library, audit)) is not None:
        outcome = "reject" if len(seen) < wrong else "approve"
        key = f"{library.person_id}-{mask_id}"
        reviewing.give(library, key, Verdict(mask_id, outcome, rating=8, codes=("edge",), audit_id=audit.id))
        seen.append(mask_id)
    return seen


@pytest.mark.parametrize(
    "asked",
    [Asked(count=8), Asked("stratified", 8, by="size"), Asked("stratified", 8, by="version"), Asked("risk", 8)],
    ids=["simple", "size", "version", "risk"],
)
def test_an_audit_is_gone_through_once_and_says_its_share(twelve: Library, asked: Asked) -> None:
    audit = begun(twelve, asked)
    assert (audit.size, audit.population) == (8, 12)
    seen = review_all(twelve, audit, wrong=2)
    assert len(seen) == len(set(seen)) == 8
    found = auditing.result(twelve, audit)
    assert (found.looked_at, found.pending, found.rating, found.codes) == (8, 0, 8.0, {"edge": 8})
    assert 0 < found.good.low < found.good.mean < found.good.high <= 1
    if asked.method != "risk":
        assert found.good.mean == pytest.approx(6 / 8)


def test_masks_that_were_reviewed_are_not_drawn_again(twelve: Library) -> None:
    review_all(twelve, begun(twelve, Asked(count=8)))
    rest = begun(twelve, Asked(count=8))
    assert (rest.size, rest.population) == (4, 4)
    review_all(twelve, rest)
    with pytest.raises(InvalidInput, match="masks that nobody has reviewed yet, but there are none"):
        auditing.begin(twelve, Asked())


def test_a_mask_to_be_fixed_counts_once_it_is(twelve: Library) -> None:
    audit = begun(twelve, Asked(count=2))
    first = reviewing.next_of_audit(twelve, audit)
    assert first is not None
    reviewing.give(twelve, "one", Verdict(first, "fix", audit_id=audit.id))
    found = auditing.result(twelve, audit)
    assert (found.looked_at, found.pending, found.good.low, found.good.high) == (1, 1, 0, 1)
    image_id = reviewing.task(twelve, first).image.id
    accept(twelve, "fixed", square(80, 60, 15), image_id=image_id, supersedes=first)
    found = auditing.result(twelve, audit)
    assert (found.looked_at, found.pending, found.good.mean) == (1, 0, 0.0)


def test_two_reviewers_do_not_share_a_verdict_and_the_stricter_counts(twelve: Library) -> None:
    audit = begun(twelve, Asked(count=4, reviewers=2))
    rita, rolf = somebody_else(twelve), somebody_else(twelve, "rolf")
    assert reviewing.next_of_audit(twelve, audit) is None, "all masks are the owner's"
    assert len(review_all(rita, audit, wrong=1)) == 4
    assert auditing.result(twelve, audit).looked_at == 0
    assert len(review_all(rolf, audit)) == 4
    found = auditing.result(twelve, audit)
    assert (found.looked_at, found.good.mean, found.same_verdict) == (4, 0.75, 0.75)


def test_a_plan_ends_an_audit_early(twelve: Library) -> None:
    plan = acceptance_plan(limit=0.4, confidence=0.9, failures=0)
    assert plan.size == 5
    audit = begun(twelve, Asked(count=3, plan=plan))
    assert audit.size == 5, "as many as the plan needs"
    assert auditing.result(twelve, audit).standing == "goes on"
    review_all(twelve, audit)
    assert auditing.result(twelve, audit).standing == "holds"
    other = begun(twelve, Asked(count=5, plan=plan))
    review_all(twelve, other, wrong=1)
    assert auditing.result(twelve, other).standing == "fails"


def test_a_deleted_mask_is_passed_over(twelve: Library) -> None:
    audit = begun(twelve, Asked(count=12))
    first = reviewing.next_of_audit(twelve, audit)
    assert first is not None
    annotating.delete_mask(twelve, first)
    assert first not in review_all(twelve, audit)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Asked(count=0), "from 1 to 10,000 masks, got 0"),
        (Asked(reviewers=3), "1 or 2 reviewers, got 3"),
        (Asked("by feeling"), "simple, stratified or risk, got 'by feeling'"),  # type: ignore[arg-type]
    ],
)
def test_a_sample_that_cannot_be_meant_is_refused(twelve: Library, asked: Asked, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        auditing.begin(twelve, asked)
    assert auditing.every(twelve) == []


def test_known_good_masks_are_mixed_in_and_told_apart(twelve: Library) -> None:
    first = begun(twelve, Asked(count=4))
    known = set(review_all(twelve, first))
    audit = begun(twelve, Asked(count=8, known=0.25))
    assert (audit.size, audit.population) == (8, 8)
    seen = []
    while (mask_id := reviewing.next_of_audit(twelve, audit)) is not None:
        outcome = "reject" if mask_id in known and not known & set(seen) else "approve"
        reviewing.give(twelve, f"again-{mask_id}", Verdict(mask_id, outcome, audit_id=audit.id))
        seen.append(mask_id)
    assert (len(seen), len(known & set(seen))) == (10, 2)
    found = auditing.result(twelve, audit)
    assert (found.looked_at, found.good.mean) == (8, 1.0)
    assert found.known is not None
    assert found.known.mean == pytest.approx(0.5)
    assert auditing.result(twelve, first).known is None


def test_a_mask_that_anybody_refused_is_not_known_to_be_good(twelve: Library) -> None:
    review_all(twelve, begun(twelve, Asked(count=4)), wrong=4)
    audit = begun(twelve, Asked(count=8, known=0.5))
    assert len(review_all(twelve, audit)) == 8
    with pytest.raises(InvalidInput, match="share of known masks must be from 0 to 50%, got 60%"):
        auditing.begin(twelve, Asked(known=0.6))


@pytest.mark.parametrize("known", [0, 0.5])
def test_masks_are_searched_before_the_write_lock_is_taken(twelve: Library, known: float) -> None:
    review_all(twelve, begun(twelve, Asked(count=4)))
    with said_by_writers(twelve) as said:
        audit = begun(twelve, Asked(count=4, known=known))
    assert audit.size == 4
    assert said
    assert not [one for one in said if "FROM mask" in one or "FROM review" in one]
