"""Rounds: the same images for several people, blind, what they say, and calibrations that stand before real work."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from core import annotating, auditing, calibrating, library, projects, round_results, rounds
from core.errors import Forbidden, InvalidInput
from core.metrics import Chosen
from core.round_summaries import summaries
from core.round_views import COLOURS, kinds_of, painted
from core.rounds import Asked
from core.workshop import Library
from storage import images, masks, settings_store
from storage import rounds as queries
from storage.errors import MissingRow
from tests.conftest import square
from tests.core.conftest import accept
from tests.core.test_reviewing import somebody_else

pytestmark = pytest.mark.both_databases


def annotator(library: Library, name: str = "rita") -> Library:
    """Return the same library in the hands of somebody who only annotates."""
    return replace(somebody_else(library, name), role="annotator")


def seat_images(there: Library) -> list[int]:
    with there.engines.reading() as session:
        return sorted(queries.images_of(there.project_id, session=session).values())


def finish(there: Library) -> None:
    for image_id in seat_images(there):
        annotating.set_state(there, image_id, "done")


def compared(stocked: Library, round_id: int) -> list[round_results.PairResult]:
    return round_results.compare(stocked, rounds.seats(stocked, round_id))


@pytest.fixture
def agreed(stocked: Library) -> Library:
    """A library of three images that are done, with a mask on each."""
    for image_id in (1, 2, 3):
        accept(stocked, f"agreed-{image_id}", square(20, 20, 30), image_id=image_id)
        annotating.set_state(stocked, image_id, "done")
    return stocked


def test_seats_are_blind_and_count_for_nothing_in_the_library(stocked: Library) -> None:
    rita, sam = somebody_else(stocked, "rita"), somebody_else(stocked, "sam")
    round_id = rounds.begin(stocked, Asked("first", (rita.person_id, sam.person_id), images=2), seed=1)
    at_rita, at_sam = rounds.enter(rita, round_id), rounds.enter(sam, round_id)
    assert len(seat_images(at_rita)) == len(seat_images(at_sam)) == 2
    one = seat_images(at_rita)[0]
    saved = accept(at_rita, "r1", square(), image_id=one)
    with pytest.raises(MissingRow, match=f"image {one} must be in the library"):
        library.image(at_sam, one)
    with pytest.raises(MissingRow, match=f"image {one} must be in the library"):
        accept(at_sam, "s1", square(), image_id=one)
    with pytest.raises(MissingRow, match="must be in the library"):
        annotating.delete_mask(at_sam, saved.mask_id)
    with pytest.raises(MissingRow, match="must be in the library"):
        library.image(stocked, one)
    assert projects.settings(at_rita) == projects.settings(stocked)
    with stocked.engines.reading() as session:
        assert images.progress(stocked.project_id, session=session).masks == 0
        assert len(masks.of_image(one, session=session)) == 1
    with pytest.raises(InvalidInput, match="there are none"):
        auditing.begin(stocked, auditing.Asked())
    with pytest.raises(MissingRow, match=f"round {round_id} must have a seat for you, but has none"):
        rounds.enter(stocked, round_id)


def test_a_round_tells_how_far_two_agree_on_what_both_finished(stocked: Library) -> None:
    rita, sam = somebody_else(stocked, "rita"), somebody_else(stocked, "sam")
    round_id = rounds.begin(stocked, Asked("first", (rita.person_id, sam.person_id), images=3), seed=1)
    at_rita, at_sam = rounds.enter(rita, round_id), rounds.enter(sam, round_id)
    for number, (ours, theirs) in enumerate(zip(seat_images(at_rita), seat_images(at_sam), strict=True)):
        accept(at_rita, f"r{number}", square(10, 10, 20), image_id=ours)
        accept(at_sam, f"s{number}", square(10, 10, 20) if number else square(10, 14, 20), image_id=theirs)
    accept(at_rita, "extra", square(60, 60, 20), image_id=seat_images(at_rita)[1])
    assert compared(stocked, round_id) == []
    finish(at_rita)
    for image_id in seat_images(at_sam)[:2]:
        annotating.set_state(at_sam, image_id, "done")
    (found,) = compared(stocked, round_id)
    assert (found.first.name, found.second.name, len(found.images), found.matched) == ("rita", "sam", 2, 2)
    assert found.iou is not None
    shifted = 320 / 480
    assert found.iou.mean == pytest.approx((shifted + 1) / 2)
    assert found.iou.low == pytest.approx(shifted)
    assert found.iou.high == pytest.approx(1)
    assert found.f1[0.5] == pytest.approx(2 * 2 / 5)
    assert found.f1[0.9] == pytest.approx(2 * 1 / 5)
    assert found.split == {"boundary": 1, "missed": 1}
    assert found.images[0].agreement.f1[0.5] <= found.images[1].agreement.f1[0.5]


def test_the_metrics_page_is_told_of_rounds_and_compares_only_what_is_new(stocked: Library) -> None:
    rita, sam = somebody_else(stocked, "rita"), somebody_else(stocked, "sam")
    people = (rita.person_id, sam.person_id)
    round_id = rounds.begin(stocked, Asked("first", people, images=2), seed=1)
    assert summaries(stocked, Chosen()) == []
    for name, there in (("r", rounds.enter(rita, round_id)), ("s", rounds.enter(sam, round_id))):
        for number, image_id in enumerate(seat_images(there)):
            accept(there, f"{name}{number}", square(10, 10 if name == "r" else 14, 20), image_id=image_id)
        finish(there)
    (whole,) = compared(stocked, round_id)
    (told,) = summaries(stocked, Chosen())
    (pair,) = told.pairs
    assert (told.name, pair.first, pair.second, pair.masks) == ("first", *people, 4)
    assert whole.iou is not None
    assert (pair.f1, pair.iou, pair.panoptic_quality) == (whole.f1[0.5], whole.iou.mean, whole.panoptic_quality)
    key = f"round-{round_id}"
    with stocked.engines.writing() as session:
        kept = settings_store.get(key, session=session)
        assert kept is not None
        settings_store.put(key, {**kept, "pairs": [{**kept["pairs"][0], "f1": 0.25}]}, session=session)
    assert summaries(stocked, Chosen())[0].pairs[0].f1 == 0.25
    accept(
        rounds.enter(rita, round_id), "more", square(60, 60, 20), image_id=seat_images(rounds.enter(rita, round_id))[0]
    )
    assert summaries(stocked, Chosen())[0].pairs[0].f1 == pytest.approx(4 / 5)
    assert summaries(stocked, Chosen(people=(rita.person_id,))) == summaries(stocked, Chosen())
    assert summaries(stocked, Chosen(people=(stocked.person_id,))) == []
    assert summaries(stocked, Chosen(until=date(2020, 1, 1))) == []


def test_the_librarys_masks_take_part_as_they_were(agreed: Library) -> None:
    rita = somebody_else(agreed)
    round_id = rounds.begin(agreed, Asked("with ours", (rita.person_id,), images=3, agreed=True), seed=1)
    annotating.delete_mask(agreed, "agreed-1")
    there = rounds.enter(rita, round_id)
    for number, image_id in enumerate(seat_images(there)):
        accept(there, f"r{number}", square(20, 20, 30), image_id=image_id)
    finish(there)
    (found,) = compared(agreed, round_id)
    assert found.first.person_id is None
    assert (found.matched, found.f1[0.95], found.split) == (3, 1.0, {})


def test_a_calibration_stands_before_real_work_until_it_is_passed(agreed: Library) -> None:
    rita, sam = annotator(agreed), annotator(agreed, "sam")
    round_id = rounds.begin(agreed, Asked("entry", (rita.person_id,), images=2, kind="calibration"), seed=1)
    assert calibrating.required(rita) is None
    projects.change_settings(agreed, {"calibration": round_id})
    assert calibrating.required(agreed) is None
    asked = calibrating.required(sam)
    assert asked is not None
    assert (asked.round.id, asked.seat.name, asked.standing) == (round_id, "sam", None)
    for person, side in ((rita, 30), (sam, 20)):
        there = rounds.enter(person, round_id)
        for number, image_id in enumerate(seat_images(there)):
            accept(there, f"{person.person_id}-{number}", square(20, 20, side), image_id=image_id)
        finish(there)
    assert calibrating.required(rita) is None
    failed = calibrating.required(sam)
    assert failed is not None
    assert failed.standing is not None
    assert (failed.standing.passed, failed.standing.f1, failed.standing.iou) == (False, 0.0, 0.0)
    with pytest.raises(Forbidden, match="must be reviewer or above"):
        calibrating.let_pass(sam, failed.seat)
    with pytest.raises(Forbidden, match="must be reviewer or above"):
        rounds.begin(sam, Asked("mine", (sam.person_id, rita.person_id)))
    calibrating.let_pass(agreed, failed.seat)
    assert calibrating.required(sam) is None


def test_a_round_that_ended_is_not_asked_for(agreed: Library) -> None:
    rita = annotator(agreed)
    round_id = rounds.begin(agreed, Asked("entry", (rita.person_id,), images=2, kind="calibration"), seed=1)
    projects.change_settings(agreed, {"calibration": round_id})
    assert calibrating.required(rita) is not None
    rounds.close(agreed, round_id)
    assert calibrating.required(rita) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "name must have 1 to 200 characters, got 0"),
        ({"images": 0}, "from 1 to 500 images, got 0"),
        ({"people": (1,)}, "from 2 to 20 people, got 1"),
        ({"people": (1, 99)}, "person 99 is not"),
        ({"kind": "contest"}, "an agreement or a calibration, got 'contest'"),
        ({"kind": "calibration", "passing": {"f1": 2}}, "an f1 and an iou from 0 to 1"),
        ({"agreed": True}, "images that are done and have masks, but there are none"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_kept(
    stocked: Library, changes: dict[str, object], said: str
) -> None:
    rita = somebody_else(stocked)
    values: dict[str, object] = {"name": "first", "people": (stocked.person_id, rita.person_id), **changes}
    with pytest.raises(InvalidInput, match=said):
        rounds.begin(stocked, Asked(**values))  # type: ignore[arg-type]
    assert rounds.every(stocked) == []


def test_a_seat_cannot_be_taken_where_there_are_no_agreed_masks(stocked: Library) -> None:
    rita = somebody_else(stocked)
    round_id = rounds.begin(stocked, Asked("first", (stocked.person_id, rita.person_id), images=1), seed=1)
    with pytest.raises(InvalidInput, match="agreed masks to be joined"):
        rounds.take_seat(somebody_else(stocked, "sam"), round_id)


def test_masks_are_coloured_by_how_far_they_agree() -> None:
    whole, left, right = (np.zeros((40, 60), bool) for _ in range(3))
    whole[5:35, 5:55], left[5:35, 5:30], right[5:35, 30:55] = True, True, True
    lone = np.zeros((40, 60), bool)
    lone[36:40, :4] = True
    found = round_results.agreement([whole, lone], [left, right])
    assert kinds_of(found, 2) == ["granularity", "missed"]
    assert kinds_of(found, 2, theirs=True) == ["granularity", "granularity"]
    picture = painted(np.zeros((40, 60, 3), np.uint8), [whole, lone], kinds_of(found, 2))
    assert tuple(picture[5, 20]) == COLOURS["granularity"]
    assert tuple(picture[37, 0]) == COLOURS["missed"]
    assert not picture[0].any()
