"""The figures of the Metrics page against the same figures computed from the masks themselves."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from core import annotating, metrics, projects, reviewing
from core.auditing import GOOD
from core.checking import check_library
from core.data_page import data_page
from core.metric_quality import quality
from core.metrics import Chosen
from core.quality.checks import LIBRARY_CHECKS
from core.quality.concavity import concavity
from core.reviewing import Verdict
from core.statistics import ratio_of_means
from core.workshop import Library
from storage import masks
from storage.narrowing import MaskRanges
from storage.rows import MaskRow
from storage.tally_sums import FLAGS
from storage.types import now
from tests.conftest import HEIGHT, WIDTH, square
from tests.core.conftest import accept
from tests.core.test_reviewing import somebody_else

pytestmark = pytest.mark.both_databases


@pytest.fixture
def worked(stocked: Library) -> Library:
    """A library of 40 masks by two people, some by hand, with every field of its own."""
    rng = np.random.default_rng(0)
    hands = [stocked, somebody_else(stocked)]
    for number in range(40):
        side = int(rng.integers(3, 40))
        by_hand = number % 5 == 0
        times = {name: int(rng.integers(0, 20_000)) for name in ("waiting_ms", "thinking_ms", "prompting_ms")}
        changes: dict[str, Any] = {
            "origin": "by_hand" if by_hand else "assisted",
            "predicted_iou": None if by_hand else float(rng.random()),
            "rank": int(rng.integers(0, 3)),
            "edited": bool(rng.random() < 0.3),
            "prompts": [{"kind": "point", "x": 1, "y": 1, "label": 1}] * int(rng.integers(1, 3)),
            "times": {**times, "painting_ms": 60_000 if by_hand else 0},
        }
        mask = square(int(rng.integers(0, 40)), int(rng.integers(0, 40)), side)
        accept(hands[number % 2], f"m{number}", mask, image_id=1 + number % 3, **changes)
    return stocked


def everything(library: Library) -> list[MaskRow]:
    with library.engines.reading() as session:
        return [row for _, rows in masks.stream(library.project_id, session=session) for row in rows]


def test_figures_equal_those_of_the_masks_themselves(worked: Library) -> None:
    rows, found = everything(worked), metrics.figures(worked, Chosen())
    assisted = [row for row in rows if row.origin == "assisted"]
    effort = found.effort
    assert (effort.masks, effort.assisted, effort.by_hand) == (40, 32, 8)
    for kind in metrics.TIMES:
        expected = np.mean([getattr(row.times, f"{kind}_ms") for row in assisted]) / 1e3
        assert effort.seconds[kind] == pytest.approx(expected)
    assert effort.active == pytest.approx(np.mean([row.times.active_ms for row in assisted]) / 1e3)
    seconds = np.array([row.times.active_ms // 1000 for row in assisted])
    assert effort.median == pytest.approx(np.median(np.minimum(seconds, 60)), abs=1)
    assert effort.prompts == pytest.approx(np.mean([len(row.prompts) for row in assisted]))
    unchanged = [row.candidate_rank == 0 and not row.edited and len(row.prompts) == 1 for row in assisted]
    assert effort.unchanged == pytest.approx(np.mean(unchanged))
    assert effort.edited == pytest.approx(np.mean([row.edited for row in rows]))
    assert (effort.easy, effort.medium, effort.complex) == (
        int((seconds < 10).sum()),
        int(((seconds >= 10) & (seconds < 30)).sum()),
        int((seconds >= 30).sum()),
    )
    share = np.array([row.area / (HEIGHT * WIDTH) for row in rows])
    assert found.shares == (
        int((share < 0.01).sum()),
        int(((share >= 0.01) & (share < 0.1)).sum()),
        int((share >= 0.1).sum()),
    )
    assert found.sizes.tolist() == np.histogram(np.sqrt(share), 40, (0, 1))[0].tolist()
    predicted = [row.predicted_iou for row in rows if row.predicted_iou is not None]
    assert found.predicted.tolist() == np.histogram(predicted, 20, (0, 1))[0].tolist()
    assert found.per_image == {14: 1, 13: 2}
    assert sum(found.days.values()) == int(found.centres.sum()) == 40
    assert {person: one.masks for person, one in found.by_person.items()} == {1: 20, 2: 20}
    assert found.progress.masks == 40


def test_flags_are_counted_by_name_and_answer(worked: Library) -> None:
    said = [flag for row in everything(worked) for flag in row.flags]
    assert said
    for flag, answer in zip(said[:2], ("fixed", "kept"), strict=True):
        annotating.resolve_flag(worked, flag.id, answer)
    counted = Counter((flag.name, flag.resolution or "open") for row in everything(worked) for flag in row.flags)
    found = metrics.figures(worked, Chosen()).flags
    assert found == {
        name: tuple(counted[name, answer] for answer in ("open", "fixed", "kept"))
        for name in {key for key, _ in counted}
    }
    check_library(worked)
    rows = everything(worked)
    found = metrics.figures(worked, Chosen()).flags
    assert sum(map(sum, found.values())) == sum(len(row.flags) for row in rows) > len(said)


def test_every_check_has_a_counter_of_its_own() -> None:
    assert {*LIBRARY_CHECKS, "imported", "another"} == set(FLAGS)


def test_days_people_and_versions_narrow_what_is_counted(worked: Library) -> None:
    today = now().date()
    assert metrics.figures(worked, Chosen(people=(2,))).effort.masks == 20
    assert metrics.figures(worked, Chosen(since=today - timedelta(1), until=today)).effort.masks == 40
    assert metrics.figures(worked, Chosen(until=today - timedelta(2))).effort.masks == 0
    assert metrics.figures(worked, Chosen(versions=(9,))).effort.masks == 0
    week = Chosen(date(2026, 11, 9), date(2026, 11, 15))
    assert week.before() == Chosen(date(2026, 11, 2), date(2026, 11, 8))
    assert Chosen().before() == Chosen()


def test_masks_behind_a_bar_are_those_that_were_counted_in_it(worked: Library) -> None:
    found = metrics.figures(worked, Chosen())
    assert len(metrics.behind(worked, Chosen(), MaskRanges(share=(0.01, 0.1)), limit=99)) == found.shares[1]
    assert len(metrics.behind(worked, Chosen(), MaskRanges(predicted=(0.5, 0.55)), limit=99)) == found.predicted[10]
    assert len(metrics.behind(worked, Chosen(), MaskRanges(concavity=(0, 0.05)), limit=99)) == found.concavity[0]
    for low, high, count in (
        (0, 10, found.effort.easy),
        (10, 30, found.effort.medium),
        (30, 1e6, found.effort.complex),
    ):
        assert len(metrics.behind(worked, Chosen(), MaskRanges(seconds=(low, high)), limit=99)) == count
    for name, said in found.flags.items():
        behind = metrics.behind(worked, Chosen(), MaskRanges(flag=name), limit=99)
        assert sum(flag.name == name for row in behind for flag in row.flags) == sum(said)
    assert len(metrics.behind(worked, Chosen(people=(2,)), MaskRanges(), limit=5)) == 5
    assert len(metrics.behind(worked, Chosen(versions=(0,)), MaskRanges(), limit=99)) == 40
    assert metrics.behind(worked, Chosen(until=date(2020, 1, 1)), MaskRanges(), limit=5) == []


def test_the_speed_up_and_its_interval_are_those_of_a_bootstrap(worked: Library) -> None:
    rows, said = everything(worked), metrics.figures(worked, Chosen()).speed_ups
    assert said is not None
    found = said.overall
    by_hand = np.array([row.times.active_ms for row in rows if row.origin == "by_hand"], float)
    assisted = np.array([row.times.active_ms for row in rows if row.origin == "assisted"], float)
    assert found.mean == pytest.approx(by_hand.mean() / assisted.mean(), rel=1e-3)
    rng = np.random.default_rng(0)
    drawn = [rng.choice(by_hand, 8).mean() / rng.choice(assisted, 32).mean() for _ in range(4000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert found.low == pytest.approx(low, rel=0.05)
    assert found.high == pytest.approx(high, rel=0.05)
    assert ratio_of_means((5, 0, 0), (5, 10, 20)) is None


def test_where_chance_assigned_objects_only_those_are_compared(worked: Library) -> None:
    projects.change_settings(worked, {"by_hand_share": 0.25})
    whole = metrics.figures(worked, Chosen()).speed_ups
    assert whole is not None
    assert (whole.by_chance, whole.by_hand, whole.assisted) == (False, 8, 32)
    for number in range(20):
        for key, origin, ms in (("0", "by_hand", 50_000), ("f", "assisted", 10_000)):
            times = {"thinking_ms": ms + 100 * number}
            changes: dict[str, Any] = {"origin": origin, "times": times, "object_key": key * 8, "by_chance": True}
            accept(worked, f"{key}-{number}", square(1 + number), **changes)
    # Not as chance said, or not asked: these are in neither.
    accept(worked, "o", square(30), object_key="0" * 8, by_chance=True, times={"thinking_ms": 99_000})
    accept(worked, "v", square(31), object_key="0" * 8, origin="by_hand", times={"thinking_ms": 99_000})
    found = metrics.figures(worked, Chosen()).speed_ups
    assert found is not None
    assert (found.by_chance, found.by_hand, found.assisted) == (True, 20, 20)
    assert found.overall.mean == pytest.approx(50_950 / 10_950)
    assert found.by_version == {0: found.overall}


def test_too_few_of_a_kind_give_no_speed_up(stocked: Library) -> None:
    accept(stocked, "a", square(), times={"painting_ms": 900})
    found = metrics.figures(stocked, Chosen())
    assert (found.speed_ups, found.effort.masks) == (None, 1)


def test_quality_is_what_reviewers_made_of_the_masks(worked: Library) -> None:
    rows = everything(worked)
    rita = somebody_else(worked)
    mine = [row for row in rows if row.person_id == worked.person_id][:6]
    for place, row in enumerate(mine):
        outcome = ("approve", "approve", "reject", "send_back", "fix", "fix")[place]
        reviewing.give(rita, f"v{place}", Verdict(row.id, outcome, rating=6))  # type: ignore[arg-type]
    nearly = square(mine[4].bbox[0], mine[4].bbox[1], mine[4].bbox[2])
    accept(worked, "better", nearly, image_id=mine[4].image_id, supersedes=mine[4].id)
    found = quality(worked, Chosen())
    assert found.verdicts == {"approve": 2, "reject": 1, "send_back": 1, "fix": 2}
    assert (found.above95, found.from90, found.below90) == (3, 0, 2)
    assert found.good.mean == pytest.approx(3 / 5)
    assert found.rating == 6
    told = [row for row in mine[:5] if not row.edited and row.predicted_iou is not None]
    assert sum(one.count for one in found.reliability) == len(told)
    assert quality(worked, Chosen(until=date(2020, 1, 1))).verdicts == {}
    assert GOOD == 0.9


def test_the_data_page_says_what_is_there_and_nothing_of_what_is_not(worked: Library, stocked: Library) -> None:
    found = metrics.figures(worked, Chosen())
    text = " ".join(data_page(found, quality(worked, Chosen())))
    assert "40 masks were accepted by people" in text
    assert "32 began as a model's candidate and 8 were outlined by hand" in text
    assert "No mask has been reviewed." in text
    nothing = metrics.figures(worked, Chosen(until=date(2020, 1, 1)))
    assert data_page(nothing, quality(worked, Chosen(until=date(2020, 1, 1)))) == ["The library holds no masks yet."]


def test_concavity_is_that_of_the_convex_hull() -> None:
    morphology = pytest.importorskip("skimage.morphology")
    rng = np.random.default_rng(1)
    for _ in range(10):
        mask = np.zeros((300, 400), bool)
        for _ in range(3):
            y, x = rng.integers(0, 200), rng.integers(0, 300)
            mask[y : y + int(rng.integers(15, 100)), x : x + int(rng.integers(15, 100))] = True
        expected = 1 - mask.sum() / morphology.convex_hull_image(mask).sum()
        assert concavity(mask) == pytest.approx(expected, abs=0.01)
    assert concavity(np.zeros((4, 4), bool)) == 0
