"""Going over a library: what is found is kept once, what was answered stays, and a run that breaks loses nothing."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest

from core import annotating, auditing, checking, reviewing
from core.auditing import Asked
from core.checking import check_library, precision
from core.quality.checks import Limits
from core.reviewing import Verdict
from core.workshop import Library
from storage import flags, masks, model_versions
from storage.rows import FlagRow
from tests.conftest import square
from tests.core.conftest import accept
from tests.core.test_reviewing import somebody_else

pytestmark = pytest.mark.both_databases

HINTS = Limits(min_area=0)


def kept(library: Library, image_id: int = 1) -> dict[int, list[FlagRow]]:
    """Return the flags of an image's live masks, by mask."""
    with library.engines.reading() as session:
        return {mask.id: list(mask.flags) for mask in masks.of_image(image_id, session=session)}


def names(library: Library, image_id: int = 1) -> list[list[str]]:
    return [[flag.name for flag in said] for said in kept(library, image_id).values()]


def tallied(report: checking.CheckReport) -> dict[str, int]:
    return {tally.name: tally.count for tally in report.tallies}


def cut(mask: np.ndarray, x: int, y: int, width: int, height: int) -> np.ndarray:
    holed = mask.copy()
    holed[y : y + height, x : x + width] = False
    return holed


def test_what_is_found_is_kept_and_told_and_a_second_run_adds_nothing(stocked: Library) -> None:
    content = "c" * 64
    with stocked.engines.writing() as session:
        model_versions.register("vit_b", content_hash=content, encoder_hash="e", detail={}, session=session)
    accept(stocked, "edge", square(0, 20, 30))
    accept(stocked, "doubted", square(60, 40), predicted_iou=0.5, stability_score=0.9, model=f"vit_b@{content[:12]}")
    accept(stocked, "other", square(0, 20, 30), image_id=3)
    report = check_library(stocked)
    assert (report.images, report.masks, report.flagged_images, report.flagged_masks) == (3, 3, 2, 3)
    assert (report.added, report.removed) == (3, 0)
    assert tallied(report) == {"border": 2, "unsure": 1}
    assert names(stocked) == [["border"], ["unsure"]]
    (flag,) = kept(stocked)[1]
    assert (flag.severity, flag.detail) == ("info", {"left": 30, "box": [0, 20, 1, 30], "fix": None})
    again = check_library(stocked)
    assert (again.added, again.tallies) == (0, report.tallies)
    assert names(stocked) == [["border"], ["unsure"]]


def test_flags_said_at_accept_are_known(stocked: Library) -> None:
    saved = accept(stocked, "k", square(side=5))
    assert check_library(stocked).added == 0
    assert [flag.id for flag in kept(stocked)[saved.mask_id]] == [flag.id for flag in saved.flags]


def test_an_answered_flag_is_known_and_counts_only_when_asked_for(stocked: Library) -> None:
    saved = accept(stocked, "k", square(side=5))
    annotating.resolve_flag(stocked, saved.flags[0].id, "kept")
    report = check_library(stocked)
    assert (report.added, report.flagged_masks, report.tallies) == (0, 0, ())
    everything = check_library(stocked, answered=True)
    assert (everything.added, everything.flagged_masks, tallied(everything)) == (0, 1, {"small": 1})


def test_what_no_longer_holds_goes_unless_it_was_answered_or_is_not_ours(stocked: Library) -> None:
    open_one, answered = accept(stocked, "a", square(side=5)), accept(stocked, "b", square(60, 60, 5))
    annotating.resolve_flag(stocked, answered.flags[0].id, "kept")
    with stocked.engines.writing() as session:
        flags.insert(open_one.mask_id, [flags.NewFlag("foreign", "info", "From elsewhere.", {})], session=session)
    report = check_library(stocked, limits=HINTS)
    assert (report.added, report.removed) == (0, 1)
    assert names(stocked) == [["foreign"], ["small"]]
    assert tallied(report) == {"foreign": 1}


def test_what_is_between_two_masks_is_said_once_of_the_later(stocked: Library) -> None:
    accept(stocked, "first", square())
    second = accept(stocked, "second", square())
    assert [flag.name for flag in second.flags] == ["duplicate"]
    assert check_library(stocked).added == 0
    assert names(stocked) == [[], ["duplicate"]]


def test_a_duplicate_whose_other_is_gone_is_one_no_more_and_of_a_third_is_news(stocked: Library) -> None:
    accept(stocked, "first", square())
    accept(stocked, "second", square(11, 20))
    third = accept(stocked, "third", square(12, 20))
    annotating.resolve_flag(stocked, third.flags[0].id, "kept")
    annotating.delete_mask(stocked, "first")
    report = check_library(stocked)
    assert report.removed == 1
    with_others = [[(flag.detail["mask_id"], flag.resolution) for flag in said] for said in kept(stocked).values()]
    assert with_others == [[], [(1, "kept"), (2, None)]]


def test_neighbours_are_looked_at(stocked: Library) -> None:
    accept(stocked, "left", square(10, 20, 40))
    accept(stocked, "sliver", square(49, 20, 40))
    accept(stocked, "right", cut(square(89, 20, 30), 89, 25, 2, 12))
    assert tallied(check_library(stocked)) == {"crumb": 1, "gap": 1}
    assert names(stocked) == [[], ["crumb"], ["gap"]]


@pytest.mark.parametrize(("name", "expected"), [("vit_b", {"unstable": 1}), ("starter", {})])
def test_stability_means_something_for_metas_models_alone(
    stocked: Library, name: str, expected: dict[str, int]
) -> None:
    content = "c" * 64
    with stocked.engines.writing() as session:
        model_versions.register(name, content_hash=content, encoder_hash="e", detail={}, session=session)
    accept(stocked, "k", square(), predicted_iou=0.9, stability_score=0.5, model=f"{name}@{content[:12]}")
    assert tallied(check_library(stocked)) == expected


def test_a_versions_scores_are_judged_once_audits_tell_what_they_mean(stocked: Library) -> None:
    content = "c" * 64
    with stocked.engines.writing() as session:
        model_versions.register("starter", content_hash=content, encoder_hash="e", detail={}, session=session)
    for number in range(60):
        accept(
            stocked,
            f"m{number}",
            square(5 + number % 40, 5 + number // 2, 15),
            image_id=1 + number % 3,
            predicted_iou=0.3 + number / 100,
            model=f"starter@{content[:12]}",
        )
    assert "unsure" not in tallied(check_library(stocked))
    audit_id = auditing.begin(stocked, Asked(count=60), seed=1)
    audit = next(one for one in auditing.every(stocked) if one.id == audit_id)
    while (mask_id := reviewing.next_of_audit(stocked, audit)) is not None:
        good = reviewing.task(stocked, mask_id).mask.predicted_iou >= 0.5
        reviewing.give(stocked, f"v{mask_id}", Verdict(mask_id, "approve" if good else "reject", audit_id=audit_id))
    # 40 good masks from 0.5 on, and two of the next three may be wrong before fewer than 94 % are good.
    (found,) = auditing.calibrations(stocked).values()
    assert (found.limit, found.count) == (pytest.approx(0.48), 60)
    assert found.good.mean == pytest.approx(40 / 42)
    assert tallied(check_library(stocked))["unsure"] == 18


def test_a_mask_painted_far_from_its_candidate_is_told(stocked: Library) -> None:
    accept(stocked, "k", square(), predicted_iou=0.9, edited=True, kept_iou=0.6)
    accept(stocked, "l", square(60, 60), predicted_iou=0.9, edited=True, kept_iou=0.9)
    assert names(stocked) == [[], []]
    assert tallied(check_library(stocked)) == {"reworked": 1}
    assert names(stocked) == [["reworked"], []]


def test_an_edited_mask_is_not_judged_by_its_prediction(stocked: Library) -> None:
    accept(stocked, "k", square(), predicted_iou=0.1, stability_score=0.1, edited=True)
    assert check_library(stocked).tallies == ()


def test_deleted_and_corrected_masks_are_left_alone(stocked: Library) -> None:
    accept(stocked, "old", square(0, 20, 30))
    accept(stocked, "new", square(), supersedes="old")
    accept(stocked, "gone", square(0, 20, 30))
    annotating.delete_mask(stocked, "gone")
    report = check_library(stocked)
    assert (report.masks, report.added) == (1, 0)


def test_a_run_that_breaks_keeps_what_it_did_and_the_next_goes_on(
    stocked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    for image_id in (1, 2, 3):
        accept(stocked, f"k{image_id}", square(0, 20, 30), image_id=image_id)
    monkeypatch.setattr(checking, "validate_mask", breaking_at(3))
    with pytest.raises(RuntimeError):
        check_library(stocked)
    monkeypatch.undo()
    assert [names(stocked, image_id) for image_id in (1, 2, 3)] == [[["border"]], [["border"]], [[]]]
    assert check_library(stocked).added == 1


def breaking_at(call: int) -> Any:
    calls, real = iter(range(1, 100)), checking.validate_mask

    def validate(*args: Any, **options: Any) -> Any:
        if next(calls) == call:
            raise RuntimeError("the power is gone")
        return real(*args, **options)

    return validate


def test_an_answer_given_meanwhile_is_not_lost(stocked: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = accept(stocked, "k", square(side=5))
    real = checking.validate_mask

    def answering(*args: Any, **options: Any) -> Any:
        annotating.resolve_flag(stocked, saved.flags[0].id, "kept")
        return real(*args, **options)

    monkeypatch.setattr(checking, "validate_mask", answering)
    assert check_library(stocked, limits=HINTS).removed == 0
    assert [flag.resolution for flag in kept(stocked)[saved.mask_id]] == ["kept"]


def test_two_runs_at_once_add_each_flag_once(stocked: Library) -> None:
    for number in range(8):
        accept(stocked, f"k{number}", square(0, 10 * number, 10), image_id=1 + number % 3)
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(lambda _: check_library(stocked), range(3)))
    assert sum(report.added for report in reports) == 8
    assert [said for image_id in (1, 2, 3) for said in names(stocked, image_id)] == [["border"]] * 8


def test_progress_counts_images(stocked: Library) -> None:
    told: list[tuple[int, int]] = []
    check_library(stocked, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_an_empty_library_has_nothing_to_say(library: Library) -> None:
    assert check_library(library).sentence() == (
        "0 of 0 masks on 0 of 0 images are flagged. Flags that are new: 0; that no longer hold: 0."
    )


def test_precision_counts_what_annotators_made_of_flags(stocked: Library) -> None:
    for key, answer in (("a", "fixed"), ("b", "kept"), ("c", "kept"), ("d", None), ("e", None)):
        saved = accept(stocked, key, square(10 * (ord(key) - ord("a")), 20, 5))
        (flag,) = saved.flags
        if answer:
            annotating.resolve_flag(stocked, flag.id, answer)
    annotating.delete_mask(stocked, "e")
    accept(stocked, "wide", cut(square(60, 40, 30), 70, 50, 2, 2))
    rita = somebody_else(stocked)
    for key, outcome in ((1, "approve"), (2, "reject"), (3, "fix"), (3, "approve")):
        reviewing.give(rita, f"{key}-{outcome}", Verdict(key, outcome))  # type: ignore[arg-type]
    said = {row.name: astuple(row)[1:] for row in precision(stocked)}
    assert said == {"holes": (1, 0, 0, 0, 0, 0), "small": (5, 1, 2, 1, 3, 2)}


def test_no_transaction_is_open_while_images_are_checked(stocked: Library) -> None:
    """One that lasts as long as the run keeps SQLite's log growing, and PostgreSQL from clearing away old rows."""
    for image_id in (1, 3):
        accept(stocked, f"edge-{image_id}", square(0, 20, 30), image_id=image_id)
    pools: list[Any] = [stocked.engines.read.pool, stocked.engines.write.pool]
    held: list[int] = []

    def note(_done: int, _total: int) -> None:
        held.append(sum(pool.checkedout() for pool in pools))

    report = check_library(stocked, progress=note)
    assert (report.images, report.masks, report.flagged_masks) == (3, 2, 2)
    assert held == [0, 0, 0]


def test_pages_of_images_come_to_each_once(stocked: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for image_id in (1, 2, 3):
        accept(stocked, f"edge-{image_id}", square(0, 20, 30), image_id=image_id)
    whole = check_library(stocked, answered=True)
    monkeypatch.setattr(checking, "_PAGE", 2)
    assert check_library(stocked, answered=True) == replace(whole, added=0)
