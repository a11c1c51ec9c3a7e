"""Accepted masks: saved once, never overwritten, deleted and brought back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import text

from storage import flags, images, masks, saving, tallies, team
from storage.engine import Engines
from storage.errors import MissingRow
from storage.narrowing import MaskRanges, Narrow
from storage.rows import NewEdit, NewFlag, NewMask, NewPrompt, Times, Touched
from tests.storage.conftest import new_image


def new_mask(key: str, **changes: object) -> NewMask:
    values: dict[str, object] = {
        "key": key,
        "image_id": 1,
        "person_id": 1,
        "object_key": f"object-{key}",
        "origin": "assisted",
        "height": 6,
        "width": 8,
        "counts": "0000",
        "area": 4,
        "bbox": (1, 2, 3, 4),
    }
    return NewMask(**{**values, **changes})  # type: ignore[arg-type]


def live(engines: Engines) -> list[str]:
    with engines.reading() as session:
        return [mask.key for mask in masks.of_image(1, session=session)]


def save(engines: Engines, new: NewMask) -> tuple[int, bool]:
    with engines.writing() as session:
        return saving.insert(new, session=session)


def test_a_mask_comes_back_as_it_was_saved(engines: Engines) -> None:
    new = new_mask(
        "k",
        label="cup",
        predicted_iou=0.9,
        times=Times(1, 2, 3, 4),
        prompts=(NewPrompt("point", 1.5, 2.5, label=1, at_ms=7), NewPrompt("box", 1, 2, 3, 4)),
        edits=(NewEdit("brush", {"size": 3}, 9),),
        flags=(NewFlag("small", "warning", "It is small.", {"box": [1, 2, 3, 4]}),),
    )
    mask_id, created = save(engines, new)
    assert created
    with engines.reading() as session:
        (found,) = masks.of_image(1, session=session)
    assert (found.id, found.key, found.label, found.predicted_iou) == (mask_id, "k", "cup", 0.9)
    assert found.prompts == new.prompts
    assert found.times.active_ms == 10
    assert [flag.message for flag in found.flags] == ["It is small."]
    assert (found.height, found.width, found.counts, found.bbox) == (6, 8, "0000", (1, 2, 3, 4))


def test_the_same_key_from_many_threads_saves_one_mask(engines: Engines) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: save(engines, new_mask("same")), range(24)))
    assert len({mask_id for mask_id, _ in answers}) == 1
    assert sum(created for _, created in answers) == 1
    assert live(engines) == ["same"]


@pytest.mark.parametrize("revive", [True, False])
def test_deleting_a_correction_revives_what_it_corrected_only_when_asked(engines: Engines, revive: bool) -> None:
    first, _ = save(engines, new_mask("first"))
    save(engines, new_mask("second", supersedes_id=first))
    assert live(engines) == ["second"]
    for _ in range(2):  # each step twice: they are idempotent
        with engines.writing() as session:
            masks.delete("second", session=session, revive=revive)
        assert live(engines) == (["first"] if revive else [])
    for _ in range(2):
        with engines.writing() as session:
            masks.restore("second", session=session)
        assert live(engines) == ["second"]


def test_deleting_one_of_two_corrections_revives_nothing(engines: Engines) -> None:
    first, _ = save(engines, new_mask("first"))
    save(engines, new_mask("second", supersedes_id=first))
    save(engines, new_mask("third", supersedes_id=first))
    with engines.writing() as session:
        masks.delete("second", session=session, revive=True)
    assert live(engines) == ["third"]


def test_deleting_what_was_corrected_revives_nothing_while_the_correction_lives(engines: Engines) -> None:
    first, _ = save(engines, new_mask("first"))
    second, _ = save(engines, new_mask("second", supersedes_id=first))
    save(engines, new_mask("third", supersedes_id=second))
    for step in (partial(masks.delete, revive=True), masks.restore):
        with engines.writing() as session:
            assert step("second", session=session) == Touched(second, 1, True)
            assert step("second", session=session) == Touched(second, 1, False)
        assert live(engines) == ["third"]


def test_undoing_over_a_deleted_version_revives_the_nearest_that_was_not(engines: Engines) -> None:
    first, _ = save(engines, new_mask("first"))
    second, _ = save(engines, new_mask("second", supersedes_id=first))
    save(engines, new_mask("third", supersedes_id=second))
    with engines.writing() as session:
        masks.delete("second", session=session)
        masks.delete("third", session=session, revive=True)
    assert live(engines) == ["first"]
    with engines.writing() as session:
        masks.restore("second", session=session)
    assert live(engines) == ["second"]


def test_the_longest_times_that_are_taken_can_be_added_up(engines: Engines) -> None:
    week = 7 * 24 * 3600 * 1000
    for key in "ab":
        save(engines, new_mask(key, times=Times(week, week, week, week)))
    with engines.reading() as session:
        (member,) = team.members(since=datetime(2020, 1, 1, tzinfo=UTC), session=session)
        assert (member.masks, member.active_ms) == (2, 8 * week)
        ranges = MaskRanges(seconds=(4 * week / 1000, 5 * week / 1000))
        assert masks.behind(1, by=Narrow(), ranges=ranges, session=session, limit=9) == [2, 1]
        assert tallies.read(1, session=session).sum("painting_ms") == 2 * week


def test_an_error_in_the_middle_leaves_nothing(engines: Engines) -> None:
    def cut_off() -> None:
        with engines.writing() as session:
            saving.insert(new_mask("k", prompts=(NewPrompt("point", 1, 1, label=1),)), session=session)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power"):
        cut_off()
    assert live(engines) == []
    with engines.reading() as session:
        assert session.connection().execute(text("SELECT count(*) FROM prompt")).scalar_one() == 0


def test_a_missing_mask_is_named(engines: Engines) -> None:
    with engines.writing() as session, pytest.raises(MissingRow, match="'nope' must exist"):
        masks.delete("nope", session=session)


def test_flags_are_resolved_and_opened_again(engines: Engines) -> None:
    mask_id, _ = save(engines, new_mask("k", flags=(NewFlag("holes", "info", "A hole.", {}),)))
    with engines.writing() as session:
        flags.resolve(1, "kept", session=session)
        assert flags.of_masks([mask_id], session=session)[mask_id][0].resolution == "kept"
        flags.resolve(1, None, session=session)
        assert flags.of_masks([mask_id], session=session)[mask_id][0].resolution is None
        with pytest.raises(MissingRow):
            flags.resolve(99, "kept", session=session)


def test_streaming_visits_every_live_image_in_order(engines: Engines) -> None:
    with engines.writing() as session:
        for number in range(1, 1200):
            images.insert(new_image(f"{number}.jpg", number), session=session)
        images.soft_delete([5], session=session)
        saving.insert(new_mask("k", image_id=700), session=session)
    with engines.reading() as session:
        visited = [(image_id, len(found)) for image_id, found in masks.stream(1, session=session)]
    assert [image_id for image_id, _ in visited] == [number for number in range(1, 1201) if number != 5]
    assert [image_id for image_id, count in visited if count] == [700]
