"""Verdicts, whose they may be, and what a mask was corrected to."""

from dataclasses import replace

import pytest

from core import annotating, reviewing, skipping
from core.errors import Conflict, InvalidInput
from core.reviewing import Verdict
from core.workshop import Library
from storage import people, reviews
from storage.errors import MissingRow
from storage.rows import ReviewRow
from tests.conftest import square
from tests.core.conftest import accept, events

pytestmark = pytest.mark.both_databases


def somebody_else(library: Library, name: str = "rita") -> Library:
    """Return the same library in another person's hands."""
    with library.engines.writing() as session:
        return replace(library, person_id=people.get_or_create(name, role="reviewer", session=session).id)


def verdicts(library: Library, mask_id: int) -> list[ReviewRow]:
    with library.engines.reading() as session:
        return reviews.of_masks([mask_id], session=session).get(mask_id, [])


def test_a_verdict_is_kept_once_with_all_that_was_said(stocked: Library) -> None:
    mask_id = accept(stocked, "a", square()).mask_id
    rita = somebody_else(stocked)
    said = Verdict(
        mask_id, "send_back", rating=4, codes=("edge", "holes"), comment=" The ear. ", markup=([[1.0, 2.0], [3, 4]],)
    )
    first = reviewing.give(rita, "key", said)
    assert reviewing.give(rita, "key", said) == first
    (kept,) = verdicts(stocked, mask_id)
    assert (kept.verdict, kept.rating, kept.codes, kept.comment) == ("send_back", 4, ("edge", "holes"), "The ear.")
    assert kept.markup == ([[1.0, 2.0], [3, 4]],)
    assert events(stocked)[-1] == ("review", 1, mask_id)
    ((returned, task),) = reviewing.sent_back(stocked, limit=10)
    assert (returned.id, task.mask.id, task.author) == (first, mask_id, "owner")


def test_no_one_reviews_their_own_masks_unless_they_are_alone(stocked: Library) -> None:
    mask_id = accept(stocked, "a", square()).mask_id
    assert reviewing.next_mask(stocked, "unreviewed") == mask_id
    rita = somebody_else(stocked)
    assert reviewing.next_mask(stocked, "unreviewed") is None
    assert reviewing.next_mask(rita, "unreviewed") == mask_id
    with pytest.raises(InvalidInput, match=f"by somebody else than its author, but {mask_id} is your own"):
        reviewing.give(stocked, "key", Verdict(mask_id, "approve"))
    reviewing.give(rita, "key", Verdict(mask_id, "approve"))
    assert reviewing.next_mask(rita, "unreviewed") is None


def test_flagged_masks_wait_until_somebody_answers_or_reviews(stocked: Library) -> None:
    plain, flagged = accept(stocked, "a", square()), accept(stocked, "b", square(60, 60, 3))
    assert [flag.name for flag in flagged.flags] == ["small"]
    assert reviewing.waiting(stocked) == reviewing.Waiting(flagged=1, unreviewed=2, sent_back=0, hard=0)
    assert reviewing.next_mask(stocked, "flagged") == flagged.mask_id
    annotating.resolve_flag(stocked, flagged.flags[0].id, "kept")
    assert reviewing.next_mask(stocked, "flagged") is None
    annotating.resolve_flag(stocked, flagged.flags[0].id, None)
    reviewing.give(stocked, "key", Verdict(flagged.mask_id, "approve"))
    assert reviewing.next_mask(stocked, "flagged") is None
    assert reviewing.next_mask(stocked, "unreviewed") == plain.mask_id


def test_a_fix_measures_the_mask_against_its_correction(stocked: Library) -> None:
    mask_id = accept(stocked, "a", square(side=20)).mask_id
    reviewing.give(stocked, "key", Verdict(mask_id, "fix"))
    better = square(side=20)
    better[20:40, 30:32] = True
    first = accept(stocked, "b", better, supersedes=mask_id).mask_id
    (kept,) = verdicts(stocked, mask_id)
    assert (kept.corrected_id, kept.iou) == (first, pytest.approx(400 / 440))
    assert kept.boundary_iou is not None
    assert kept.boundary_iou < kept.iou
    # Corrected once more, it still counts from the mask that was reviewed.
    best = better.copy()
    best[20:40, 32:40] = True
    second = accept(stocked, "c", best, supersedes=first).mask_id
    assert (verdicts(stocked, mask_id)[0].corrected_id, verdicts(stocked, mask_id)[0].iou) == (second, 400 / 600)
    # Undone, the correction before it stands again; undone too, the mask waits for one; done again, all is measured.
    annotating.delete_mask(stocked, second, revive=True)
    assert verdicts(stocked, mask_id)[0].corrected_id == first
    annotating.delete_mask(stocked, first, revive=True)
    assert (verdicts(stocked, mask_id)[0].corrected_id, verdicts(stocked, mask_id)[0].iou) == (None, None)
    annotating.restore_mask(stocked, first)
    annotating.restore_mask(stocked, second)
    assert (verdicts(stocked, mask_id)[0].corrected_id, verdicts(stocked, mask_id)[0].iou) == (second, 400 / 600)


def test_a_verdict_is_taken_back_by_who_gave_it_before_the_mask_is_corrected(stocked: Library) -> None:
    mask_id, rita = accept(stocked, "a", square()).mask_id, somebody_else(stocked)
    first = reviewing.give(rita, "one", Verdict(mask_id, "reject"))
    with pytest.raises(Conflict, match="another person's"):
        reviewing.take_back(stocked, first)
    reviewing.take_back(rita, first)
    assert verdicts(stocked, mask_id) == []
    second = reviewing.give(rita, "two", Verdict(mask_id, "fix"))
    accept(rita, "b", square(side=25), supersedes=mask_id)
    with pytest.raises(Conflict, match="corrected already"):
        reviewing.take_back(rita, second)


def test_a_correction_that_nobody_asked_for_measures_nothing(stocked: Library) -> None:
    mask_id = accept(stocked, "a", square()).mask_id
    reviewing.give(stocked, "key", Verdict(mask_id, "approve"))
    accept(stocked, "b", square(side=25), supersedes=mask_id)
    assert verdicts(stocked, mask_id)[0].corrected_id is None


def test_skipped_objects_of_all_images_wait_with_their_images(stocked: Library) -> None:
    for image_id in (2, 1):
        skipping.skip(stocked, image_id, f"s{image_id}", object_key="o", reason="hard", state={}, times={})
    assert [(skip.key, image.id) for skip, image in reviewing.hard_queue(stocked, limit=10)] == [("s2", 2), ("s1", 1)]


def test_a_task_shows_neighbours_and_in_an_audit_no_earlier_verdict(stocked: Library) -> None:
    mask_id, other = accept(stocked, "a", square()).mask_id, accept(stocked, "b", square(60, 50)).mask_id
    reviewing.give(stocked, "key", Verdict(mask_id, "approve", rating=9))
    task = reviewing.task(stocked, mask_id)
    assert ([one.id for one in task.neighbours], task.image.id, len(task.reviews)) == ([other], 1, 1)
    assert reviewing.task(stocked, mask_id, blind=True).reviews == []
    with pytest.raises(MissingRow):
        reviewing.task(stocked, 99)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"outcome": "love"}, "a verdict must be one of approve, fix, send_back, reject, got 'love'"),
        ({"rating": 11}, "a rating must be from 1 to 10, got 11"),
        ({"codes": ("ugly",)}, "code must be one of .*, got 'ugly'"),
        ({"comment": "x" * 2001}, "at most 2000 characters, got 2001"),
        ({"markup": tuple([[0.0, 0.0]] for _ in range(201))}, "at most 200 lines"),
    ],
)
def test_what_cannot_be_said_is_refused_and_nothing_kept(stocked: Library, changes: dict, says: str) -> None:
    mask_id = accept(stocked, "a", square()).mask_id
    with pytest.raises(InvalidInput, match=says):
        reviewing.give(stocked, "key", replace(Verdict(mask_id, "approve"), **changes))
    assert verdicts(stocked, mask_id) == []


def test_a_reviewer_sees_what_was_painted(stocked: Library) -> None:
    edits = [
        {"kind": "brush", "detail": {"size": 9, "path": [1, 2, 3, 4]}, "at_ms": 5},
        {"kind": "clean", "detail": {"below": 100}, "at_ms": 6},
        {"kind": "eraser", "detail": {"size": "wide", "path": "nowhere"}, "at_ms": 7},
    ]
    painted = accept(stocked, "a", square(), edited=True, edits=edits).mask_id
    plain = accept(stocked, "b", square(60, 60)).mask_id
    assert [(one.erases, one.path) for one in reviewing.task(stocked, painted).strokes] == [(False, ((1, 2), (3, 4)))]
    assert reviewing.task(stocked, plain).strokes == []
