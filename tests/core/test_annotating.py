"""What an annotator does is one transaction each: whole or not at all, and once."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import annotating, library, masks, projects, skipping
from core.errors import Conflict, InvalidInput
from core.seen import Seen
from core.workshop import Library
from storage import images, skips, work
from storage import masks as mask_queries
from storage.errors import MissingRow, StorageError
from storage.rows import MaskRow
from tests.conftest import square
from tests.core.conftest import accept, events

pytestmark = pytest.mark.both_databases


def live(library: Library, image_id: int = 1) -> list[MaskRow]:
    with library.engines.reading() as session:
        return mask_queries.of_image(image_id, session=session)


def state_of(library: Library, image_id: int = 1) -> str:
    with library.engines.reading() as session:
        return images.get(image_id, session=session).state


def rows(library: Library, table: str) -> int:
    with library.engines.read.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def skip(library: Library, key: str = "s", object_key: str = "object-s", image_id: int = 1) -> tuple[int, bool]:
    return skipping.skip(library, image_id, key, object_key=object_key, reason="hard", state={}, times={})


def test_accepting_saves_the_mask_its_flags_and_the_event_and_begins_the_image(stocked: Library) -> None:
    saved = accept(stocked, "k", square(side=5), label="cup", times={"thinking_ms": 7})
    (mask,) = live(stocked)
    assert (saved.mask_id, saved.created) == (mask.id, True)
    assert [flag.name for flag in saved.flags] == ["small"]
    assert mask.flags == tuple(saved.flags)
    assert (mask.area, mask.bbox, mask.label, mask.times.active_ms) == (25, (10, 20, 5, 5), "cup", 7)
    assert state_of(stocked) == "in_work"
    assert events(stocked) == [("accept", 1, mask.id)]


def test_accepting_again_under_the_key_changes_nothing_and_says_the_same(stocked: Library) -> None:
    first = accept(stocked, "k", square(side=5))
    again = accept(stocked, "k", square(side=5))
    assert (again.mask_id, again.created, again.flags) == (first.mask_id, False, first.flags)
    assert (rows(stocked, "mask"), rows(stocked, "flag"), len(events(stocked))) == (1, 1, 1)


def test_accepting_at_once_from_many_threads_saves_one_mask(stocked: Library) -> None:
    with ThreadPoolExecutor(6) as pool:
        saved = list(pool.map(lambda _: accept(stocked, "k", square()), range(12)))
    assert len({one.mask_id for one in saved}) == 1
    assert sum(one.created for one in saved) == 1
    assert (rows(stocked, "mask"), len(events(stocked))) == (1, 1)


def test_a_done_image_stays_done(stocked: Library) -> None:
    annotating.set_state(stocked, 1, "done")
    accept(stocked, "k", square())
    assert state_of(stocked) == "done"


def test_the_smallest_mask_is_a_setting_of_the_project(stocked: Library) -> None:
    projects.change_settings(stocked, {"min_area": 25})
    assert accept(stocked, "a", square(side=5)).flags == []
    projects.change_settings(stocked, {"min_area": 26})
    assert [flag.name for flag in accept(stocked, "b", square(50, 50, 5)).flags] == ["small"]


def test_a_duplicate_is_one_of_live_masks_of_the_same_image(stocked: Library) -> None:
    accept(stocked, "other", square(), image_id=2)
    accept(stocked, "gone", square())
    annotating.delete_mask(stocked, "gone")
    assert accept(stocked, "a", square()).flags == []
    assert accept(stocked, "b", square(), supersedes="a").flags == []
    (flag,) = accept(stocked, "c", square()).flags
    assert (flag.name, flag.detail["mask_id"]) == ("duplicate", live(stocked)[0].id)


FAIL = {
    "sqlite": ["CREATE TRIGGER fail BEFORE INSERT ON {table} BEGIN SELECT RAISE(FAIL, 'full'); END"],
    "postgresql": [
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$full$$; END'",
        "CREATE TRIGGER fail BEFORE INSERT ON {table} EXECUTE FUNCTION fail()",
    ],
}


@pytest.mark.parametrize("failing", ["prompt", "edit", "flag", "mask_rle", "event"])
def test_a_failure_anywhere_leaves_nothing(stocked: Library, failing: str) -> None:
    """Each table in turn is taken away under the transaction: nothing of the mask may stay in the others."""
    accept(stocked, "first", square())
    annotating.keep_work(stocked, 2, "object-k", {"points": [1]})
    with stocked.engines.write.begin() as connection:
        for statement in FAIL[connection.dialect.name]:
            connection.exec_driver_sql(statement.format(table=failing))
    before = {table: rows(stocked, table) for table in ("mask", "mask_rle", "prompt", "edit", "flag", "event")}
    with pytest.raises(StorageError, match="full"):
        accept(
            stocked,
            "k",
            square(side=3),
            image_id=2,
            prompts=[{"kind": "point", "x": 1.0, "y": 1.0, "label": 1}],
            edits=[{"kind": "brush"}],
        )
    assert {table: rows(stocked, table) for table in before} == before
    assert state_of(stocked, 2) == "new"
    with stocked.engines.reading() as session:
        assert work.get(2, stocked.person_id, session=session) is not None


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"supersedes": "other"}, InvalidInput, "must supersede one of its own image 1, got one of image 2"),
        ({"supersedes": 99}, MissingRow, "mask '99' must exist"),
        ({"image_id": 99}, MissingRow, "image 99 must be in the library"),
        ({"mask": np.ones((9, 9), bool)}, InvalidInput, "must have the image's size"),
    ],
)
def test_what_cannot_be_accepted_is_named(
    stocked: Library, changes: dict[str, object], error: type[Exception], says: str
) -> None:
    accept(stocked, "other", square(), image_id=2)
    with pytest.raises(error, match=says):
        accept(stocked, "k", **{"mask": square(), **changes})  # type: ignore[arg-type]
    assert (rows(stocked, "mask"), state_of(stocked)) == (1, "new")


@pytest.mark.parametrize(
    ("key", "changes", "says"),
    [
        ("7", {}, "a key must be no number, as ids are numbers, got '7'"),
        ("a b", {}, "a key must be 1 to 64 letters, digits or _.:- , got 'a b'"),
        ("k", {"object_key": ""}, "an object's key must be 1 to 64 letters"),
        ("k", {"times": {"painting_ms": -1}}, "painting_ms must be from 0 to 604800000, got -1"),
        ("k", {"times": {"waiting_ms": 10**18}}, f"waiting_ms must be from 0 to 604800000, got {10**18}"),
        ("k", {"edits": [{"kind": "outline", "at_ms": 2**31}]}, "at_ms must be from 0 to 604800000"),
    ],
)
def test_names_and_times_are_bounded_whichever_way_they_come(
    stocked: Library, key: str, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(InvalidInput, match=re.escape(says)):
        accept(stocked, key, square(), **changes)  # type: ignore[arg-type]
    if "edits" not in changes:
        skipped = {"object_key": "o", "times": {}, **changes}
        with pytest.raises(InvalidInput, match=re.escape(says)):
            skipping.skip(stocked, 1, key, reason="hard", state={}, **skipped)  # type: ignore[arg-type]
    assert (rows(stocked, "mask"), rows(stocked, "skip")) == (0, 0)


def test_a_key_is_of_one_mask(stocked: Library) -> None:
    accept(stocked, "k", square())
    for mask, image_id in ((square(side=19), 1), (square(), 2)):
        with pytest.raises(Conflict, match="'k' has saved another one before"):
            accept(stocked, "k", mask, image_id=image_id)
    assert rows(stocked, "mask") == 1


def test_deleting_and_restoring_are_noted_once_with_their_image(stocked: Library) -> None:
    mask_id = accept(stocked, "k", square(), image_id=2).mask_id
    for _ in range(2):
        annotating.delete_mask(stocked, "k")
    assert live(stocked, 2) == []
    for _ in range(2):
        annotating.restore_mask(stocked, mask_id)
    for _ in range(2):
        annotating.set_label(stocked, "k", "cup")
    assert [(mask.id, mask.label) for mask in live(stocked, 2)] == [(mask_id, "cup")]
    assert events(stocked) == [(kind, 2, mask_id) for kind in ("accept", "delete", "restore", "label")]


def test_a_mask_is_never_overwritten(stocked: Library) -> None:
    first = accept(stocked, "a", square())
    accept(stocked, "b", square(side=21), supersedes=first.mask_id)
    with stocked.engines.reading() as session:
        kept = mask_queries.get(first.mask_id, session=session)
    assert np.array_equal(masks.decode({"size": [kept.height, kept.width], "counts": kept.counts}), square())
    assert [mask.key for mask in live(stocked)] == ["b"]
    assert live(stocked)[0].supersedes_id == first.mask_id


def test_of_two_corrections_at_once_one_is_told_of_the_other_and_loses_nothing(stocked: Library) -> None:
    accept(stocked, "a", square())
    ready = threading.Barrier(2)

    def correct(side: int) -> str:
        ready.wait()
        try:
            accept(stocked, f"b{side}", square(side=side), supersedes="a")
        except Conflict as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as pool:
        said = dict(zip((21, 22), pool.map(correct, (21, 22)), strict=True))
    (late,) = [side for side, sentence in said.items() if sentence]
    assert said[late] == "a mask must be changed as it was shown, but owner has corrected mask 1 meanwhile"
    assert [mask.key for mask in live(stocked)] == [f"b{43 - late}"]
    # What was refused is saved beside the other, and sending the first again is still the same.
    accept(stocked, f"b{late}", square(side=late))
    accept(stocked, f"b{43 - late}", square(side=43 - late), supersedes="a")
    assert sorted(mask.key for mask in live(stocked)) == ["b21", "b22"]


def test_what_was_corrected_or_deleted_meanwhile_is_not_changed_unseen(stocked: Library) -> None:
    accept(stocked, "a", square())
    accept(stocked, "b", square(side=21), supersedes="a")
    with pytest.raises(Conflict, match="owner has corrected mask 1 meanwhile"):
        annotating.delete_mask(stocked, "a")
    annotating.delete_mask(stocked, "b", revive=True)
    annotating.delete_mask(stocked, "a")
    with pytest.raises(Conflict, match="mask 1 was deleted meanwhile"):
        accept(stocked, "c", square(side=22), supersedes="a")
    assert live(stocked) == []


def test_a_correction_is_not_brought_back_beside_a_later_one(stocked: Library) -> None:
    """Undone, it leaves its place to others: whoever does it again, late, is told who has taken it."""
    accept(stocked, "a", square())
    accept(stocked, "b", square(side=21), supersedes="a")
    annotating.delete_mask(stocked, "b", revive=True)
    accept(stocked, "c", square(side=22), supersedes="a")
    with pytest.raises(Conflict, match="but owner has corrected mask 1 meanwhile"):
        annotating.restore_mask(stocked, "b")
    assert [mask.key for mask in live(stocked)] == ["c"]
    annotating.delete_mask(stocked, "c", revive=True)
    annotating.restore_mask(stocked, "b")
    assert [mask.key for mask in live(stocked)] == ["b"]


def test_an_acceptance_that_others_have_built_on_is_not_undone(stocked: Library) -> None:
    accept(stocked, "a", square())
    accept(stocked, "b", square(side=21), supersedes="a")
    accept(stocked, "c", square(side=22), supersedes="b")
    with pytest.raises(Conflict, match="but owner has corrected mask 2 meanwhile"):
        annotating.delete_mask(stocked, "b", revive=True)
    for key, left in (("c", ["b"]), ("b", ["a"]), ("a", [])):
        annotating.delete_mask(stocked, key, revive=True)
        assert [mask.key for mask in live(stocked)] == left
    with pytest.raises(Conflict, match="mask 2 was deleted meanwhile"):
        annotating.restore_mask(stocked, "c")
    for key in "abc":
        annotating.restore_mask(stocked, key)
        assert [mask.key for mask in live(stocked)] == [key]


MOVES = st.tuples(st.sampled_from(["correct", "delete", "undo", "restore"]), st.integers(0, 9))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MOVES, min_size=1, max_size=15))
def test_whatever_is_done_to_an_object_it_lives_once_until_it_is_deleted(
    stocked: Library, moves: list[tuple[str, int]]
) -> None:
    """What was refused changes nothing; what was not leaves one mask alive, or none where the object was deleted."""
    there = rows(stocked, "mask")
    first = accept(stocked, f"k{there}", square()).mask_id
    made, deleted = [first], set[int]()
    lives: int | None = first
    corrects: dict[int, int] = {}
    for number, (move, which) in enumerate(moves):
        one = made[which % len(made)]
        try:
            if move == "correct":
                lives = accept(stocked, f"{there}-{number}", square(side=20 + number), supersedes=one).mask_id
                made.append(lives)
                corrects[lives] = one
            elif move == "restore":
                annotating.restore_mask(stocked, one)
                lives = one if one in deleted else lives
                deleted.discard(one)
            else:
                annotating.delete_mask(stocked, one, revive=move == "undo")
                if one not in deleted:
                    assert one == lives
                    lives = corrects.get(one) if move == "undo" else None
                deleted.add(one)
        except Conflict:
            pass
        assert [mask.id for mask in live(stocked)] == ([] if lives is None else [lives])
    if lives is not None:
        annotating.delete_mask(stocked, lives)  # the next example begins with no mask alive


def test_a_label_and_an_answer_are_changed_as_they_were_seen(stocked: Library) -> None:
    accept(stocked, "a", square(side=3))
    (flag,) = live(stocked)[0].flags
    annotating.set_label(stocked, "a", "cup", seen=Seen(None))
    annotating.set_label(stocked, "a", "cup", seen=Seen(None))  # as somebody wants it already
    with pytest.raises(Conflict, match="a label must be changed as it was shown, but it was changed to cup meanwhile"):
        annotating.set_label(stocked, "a", "mug", seen=Seen(None))
    annotating.set_label(stocked, "a", "mug", seen=Seen("cup"))
    annotating.resolve_flag(stocked, flag.id, "kept", seen=Seen(None))
    with pytest.raises(Conflict, match="the answer to a flag must be changed as it was shown"):
        annotating.resolve_flag(stocked, flag.id, "fixed", seen=Seen(None))
    assert (live(stocked)[0].label, live(stocked)[0].flags[0].resolution) == ("mug", "kept")


def test_two_tabs_do_not_overwrite_each_others_object_in_work(stocked: Library) -> None:
    first = annotating.keep_work(stocked, 1, "o", {"n": 1}, seen=Seen(None)).version
    second = annotating.keep_work(stocked, 1, "o", {"n": 2}, seen=Seen(first)).version
    assert first != second
    for stale in (first, None):
        with pytest.raises(Conflict, match="in work in another tab of yours"):
            annotating.keep_work(stocked, 1, "o", {"n": 3}, seen=Seen(stale))
    third = annotating.keep_work(stocked, 1, "o", {"n": 3}, seen=Seen(second), client="tab").version
    assert annotating.keep_work(stocked, 1, "o", {"n": 4}, seen=Seen(second), client="tab").version != third
    annotating.drop_work(stocked, 1)
    with pytest.raises(Conflict, match="in work in another tab of yours"):
        annotating.keep_work(stocked, 1, "o", {"n": 4}, seen=Seen(second))
    annotating.keep_work(stocked, 1, "p", {"n": 5})  # a script that says nothing of what it saw


def test_checks_that_are_off_are_not_asked_at_accept(stocked: Library) -> None:
    assert [flag.name for flag in accept(stocked, "a", square(side=3)).flags] == ["small"]
    projects.change_settings(stocked, {"checks_off": ["small"]})
    assert accept(stocked, "b", square(x=60, side=3)).flags == []


def test_skipping_keeps_the_object_once_and_begins_the_image(stocked: Library) -> None:
    annotating.keep_work(stocked, 1, "object-s", {"points": [1]})
    assert skip(stocked) == (1, True)
    assert skip(stocked) == (1, False)
    with stocked.engines.reading() as session:
        assert [kept.key for kept in skips.open_of_image(1, session=session)] == ["s"]
        assert work.get(1, stocked.person_id, session=session) is None
    assert state_of(stocked) == "in_work"
    skipping.take_back(stocked, "s")
    skipping.put_back(stocked, 1)
    assert [kind for kind, _, _ in events(stocked)] == ["skip", "take_back", "put_back"]
    with pytest.raises(Conflict, match="'s' has made another one before"):
        skip(stocked, image_id=2)
    with pytest.raises(MissingRow):
        skip(stocked, "t", image_id=99)


def test_work_of_a_deleted_image_is_refused(stocked: Library) -> None:
    library.delete(stocked, [1])
    with pytest.raises(MissingRow, match="was deleted"):
        annotating.keep_work(stocked, 1, "o", {})
    with pytest.raises(MissingRow, match="was deleted"):
        annotating.set_state(stocked, 1, "done")
