"""Who is given which image: random people, a clock that is set back, orders, what came back, images done twice."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core import annotating, people, projects, queueing, reviewing, round_results, rounds
from core.errors import Conflict, Forbidden, Held, HeldQuietly, InvalidInput
from core.overlapping import is_meant_twice
from core.queueing import Next, hand_back, hold, next_image
from core.signs_of_life import EVERY_S, SignsOfLife
from core.team import happened as trail
from core.workshop import Library, open_library
from storage import images, leases
from storage import rounds as seats_of_rounds
from storage.errors import MissingRow
from storage.leases import LEASE, QUIET
from storage.types import now
from tests.conftest import settings_of, square
from tests.core.conftest import accept, events

NAMES = ("anna", "bert", "cleo")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def as_(library: Library, name: str, role: str = "annotator") -> Library:
    return library.for_person(people.named(library, name).id, role)  # type: ignore[arg-type]


@pytest.fixture
def team(stocked: Library) -> Library:
    """Three photos and three annotators."""
    for name in NAMES:
        people.add(stocked, name, "annotator", "correct horse battery")
    return stocked


@dataclass
class Hands:
    """A person as the test knows them: the image they are on, and for how long they have been quiet."""

    library: Library
    image: int | None = None
    quiet: timedelta = timedelta()

    @property
    def is_there(self) -> bool:
        """Whether their image is theirs still."""
        return self.image is not None and self.quiet < LEASE


def machine(opened: Callable[[], Library]) -> type[RuleBasedStateMachine]:
    """Return people at work: they ask, open, take over, finish, leave and fall silent, and the clock is set back."""

    class People(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.library = opened()
            self.hands = [Hands(as_(self.library, name)) for name in NAMES]
            self.at = NOON
            self.done: set[int] = set()
            self.ids = [1, 2, 3, 4]

        def teardown(self) -> None:
            if hasattr(self, "library"):
                self.library.close()

        def given(self, who: Hands, image: int | None, *, after: timedelta = LEASE) -> None:
            for other in self.hands:
                if other is not who and other.image == image and image is not None:
                    assert other.quiet >= after, "an image is given to one pair of hands"
                    other.image = None
            who.image, who.quiet = image, timedelta()

        @rule(who=st.integers(0, 2))
        def ask(self, who: int) -> None:
            hands = self.hands[who]
            others = {one.image for one in self.hands if one is not hands and one.is_there}
            found = next_image(hands.library, leaving=hands.image, at=self.at)
            free = set(self.ids) - self.done - others - {hands.image}
            assert found.image_id is None or found.image_id in set(self.ids) - self.done - {hands.image}
            # Whoever fell silent may still be spared after the clock was set back, but nobody goes without for long.
            assert found.image_id is not None or not free or self.was_set_back
            self.given(hands, found.image_id)

        @rule(who=st.integers(0, 2), image=st.integers(1, 4), over=st.booleans())
        def open_by_link(self, who: int, image: int, over: bool) -> None:
            hands = self.hands[who]
            try:
                hold(hands.library, image, take_over=over, at=self.at)
            except HeldQuietly:
                assert not over
            except Held:
                pass
            else:
                if hands.image not in (None, image):
                    hand_back(hands.library, hands.image or 0)
                self.given(hands, image, after=QUIET if over else LEASE)

        @precondition(lambda self: any(one.is_there for one in self.hands))
        @rule(who=st.integers(0, 2), done=st.booleans())
        def leave(self, who: int, done: bool) -> None:
            hands = self.hands[who]
            if hands.image is None:
                return
            if done and hands.is_there:
                annotating.set_state(hands.library, hands.image, "done")
                self.done.add(hands.image)
            else:
                hand_back(hands.library, hands.image)
            hands.image = None

        @rule(minutes=st.integers(1, 12))
        def wait(self, minutes: int) -> None:
            self.at += timedelta(minutes=minutes)
            for hands in self.hands:
                hands.quiet += timedelta(minutes=minutes)

        @rule(minutes=st.integers(1, 300))
        def set_the_clock_back(self, minutes: int) -> None:
            self.at -= timedelta(minutes=minutes)
            self.was_set_back = True

        was_set_back = False

        @invariant()
        def nobody_waits_for_ever(self) -> None:
            if not hasattr(self, "library"):
                return
            with self.library.engines.reading() as session:
                held = [leases.of_image(image, at=self.at, session=session) for image in self.ids]
            there = {one.image for one in self.hands if one.is_there and one.image not in self.done}
            assert there <= {one.image_id for one in held if one is not None}

    return People


def test_no_image_is_in_two_hands_whatever_people_and_clocks_do(filled: Path, tmp_path: Path) -> None:
    """A time of silence is measured as it passed, not as the clock told it."""
    prepared = tmp_path / "prepared"
    shutil.copytree(filled, prepared)
    library = open_library(settings_of(prepared), samples=False)
    with library.engines.writing() as session:
        seat_of = images.get(1, session=session)
        images.insert(_another(seat_of), session=session)
    for name in NAMES:
        people.add(library, name, "annotator", "correct horse battery")
    library.close()
    made = iter(range(10**6))

    def opened() -> Library:
        data = tmp_path / f"run-{next(made)}"
        shutil.copytree(prepared, data)
        return open_library(settings_of(data), samples=False)

    run_state_machine_as_test(
        machine(opened),
        settings=given_settings(max_examples=15, stateful_step_count=25, suppress_health_check=list(HealthCheck)),
    )


def _another(row: images.ImageRow) -> images.NewImage:
    fields = {name: getattr(row, name) for name in images.NewImage.__dataclass_fields__}
    return images.NewImage(**{**fields, "sha256": "f" * 64, "name": "photo-4.png"})


def test_what_is_left_unfinished_comes_again_only_when_there_is_nothing_else(team: Library) -> None:
    anna = as_(team, "anna")
    found = [next_image(anna).image_id]
    passed: set[int] = set()
    for _ in range(4):
        passed.add(found[-1] or 0)
        found.append(next_image(anna, leaving=found[-1], passed=passed).image_id)
    assert found == [1, 2, 3, 1, 2]
    assert next_image(anna, leaving=2).ahead == (3,)


def test_priority_comes_before_the_projects_order(team: Library) -> None:
    assert queueing.prioritise(team, [3, 99], "first") == 1
    assert queueing.prioritise(team, [1], "last") == 1
    anna = as_(team, "anna")
    found = next_image(anna)
    assert (found.image_id, found.ahead) == (3, (2, 1))
    assert [one.kind for one in trail(team, limit=2)] == ["priority", "priority"]
    with pytest.raises(Forbidden):
        queueing.prioritise(anna, [1], "first")
    with pytest.raises(InvalidInput, match="must be one of first, in turn, last, got 'soon'"):
        queueing.prioritise(team, [1], "soon")  # type: ignore[arg-type]


def test_what_was_sent_back_comes_first_and_to_its_author(team: Library) -> None:
    anna, bert = as_(team, "anna"), as_(team, "bert")
    mask = accept(anna, "k", square(), image_id=3).mask_id
    annotating.set_state(anna, 3, "done")
    review = reviewing.give(team, "r", reviewing.Verdict(mask, "send_back", codes=("edge",)))
    assert next_image(bert).image_id == 1
    assert next_image(anna) == Next(3, mask_id=mask)
    reviewing.take_back(team, review)
    assert next_image(anna).image_id == 2
    reviewing.give(team, "again", reviewing.Verdict(mask, "send_back", codes=("edge",)))
    hand_back(anna, 3)
    hold(bert, 3)
    assert next_image(anna).image_id == 2
    hand_back(bert, 3)
    accept(anna, "better", square(side=21), image_id=3, supersedes="k")
    assert next_image(anna).image_id == 2


def test_a_link_to_anothers_image_names_them_and_takes_over_when_they_are_quiet(team: Library) -> None:
    anna, bert = as_(team, "anna"), as_(team, "bert")
    hold(anna, 1, at=NOON)
    with pytest.raises(Held, match=r"^anna is on this image; you can look at it") as told:
        hold(bert, 1, take_over=True, at=NOON)
    assert not isinstance(told.value, HeldQuietly)
    with pytest.raises(HeldQuietly, match="anna is on this image, but has done nothing for 3 minutes; you may take"):
        hold(bert, 1, at=NOON + QUIET)
    hold(bert, 1, take_over=True, at=NOON + QUIET)
    with pytest.raises(Held, match="bert is on this image"):
        hold(anna, 1, at=NOON + QUIET)
    assert events(team)[-1][0] == "take_over"
    with pytest.raises(MissingRow):
        hold(anna, 99)


def test_working_and_prompting_keep_an_image_and_finishing_lets_it_go(team: Library) -> None:
    anna, bert = as_(team, "anna"), as_(team, "bert")
    assert annotating.keep_work(anna, 1, "o", {}).holder is None
    assert next_image(bert).image_id == 2
    assert annotating.keep_work(bert, 1, "p", {}).holder == "anna"
    queueing.show_life(bert, 3)
    assert next_image(anna, leaving=1).image_id is None
    annotating.set_state(bert, 3, "done")
    annotating.set_state(bert, 2, "done")
    with team.engines.reading() as session:
        assert [leases.of_image(image, at=now(), session=session) for image in (2, 3)] == [None, None]


def test_whose_account_is_closed_is_on_no_image_any_more(team: Library) -> None:
    anna, bert = as_(team, "anna"), as_(team, "bert")
    hold(anna, 1)
    people.deactivate(team, anna.person_id)
    hold(bert, 1)
    with team.engines.reading() as session:
        held = leases.of_image(1, at=now(), session=session)
    assert held is not None
    assert held.person_id == bert.person_id


def test_of_two_who_say_how_far_an_image_is_the_second_is_told(team: Library) -> None:
    anna, bert = as_(team, "anna"), as_(team, "bert")
    annotating.set_state(anna, 1, "done", seen=1)
    with pytest.raises(Conflict, match="an image must be as it was shown, but anna has set it to done meanwhile"):
        annotating.set_state(bert, 1, "new", seen=1)
    annotating.set_state(anna, 1, "in_work", seen=1)
    with team.engines.reading() as session:
        assert images.get(1, session=session).state == "in_work"


def test_signs_of_life_are_written_once_in_a_while() -> None:
    clock = [0.0]
    signs = SignsOfLife(lambda: clock[0])
    assert signs.due(1, 1)
    clock[0] = EVERY_S - 1
    assert not signs.due(1, 1)
    assert signs.due(1, 2)
    clock[0] = EVERY_S
    assert signs.due(1, 1)


def test_which_images_are_done_twice_depends_on_the_photo_alone() -> None:
    hashes = [f"{number:064x}" for number in range(2000)]
    drawn = {sha256 for sha256 in hashes if is_meant_twice(sha256, 0.1)}
    assert 150 < len(drawn) < 250
    assert drawn <= {sha256 for sha256 in hashes if is_meant_twice(sha256, 0.2)}


def test_an_image_done_twice_is_done_blind_by_one_other_and_compared(team: Library) -> None:
    projects.change_settings(team, {"overlap_share": 1.0})
    anna, bert, cleo = (as_(team, name) for name in NAMES)
    accept(anna, "k", square(), image_id=2)
    for _ in range(2):
        annotating.set_state(anna, 2, "done")
    assert next_image(anna).round_id is None
    found = next_image(bert)
    assert found.round_id is not None
    assert found.image_id not in (None, 1, 2, 3)
    assert next_image(cleo).round_id is None
    seat = rounds.enter(bert, found.round_id)
    with team.engines.reading() as session:
        assert images.get(found.image_id or 0, session=session).masks == 0
    assert next_image(seat).image_id == found.image_id
    accept(seat, "twice", square(side=22), image_id=found.image_id or 0)
    annotating.set_state(seat, found.image_id or 0, "done")
    assert next_image(seat).image_id is None
    with team.engines.reading() as session:
        sitting = seats_of_rounds.seats(found.round_id, session=session)
    (pair,) = round_results.compare(team, sitting)
    assert (pair.matched, pair.first.person_id, pair.second.person_id) == (1, None, bert.person_id)
    # The next one goes into the same round, and a person who has no image there yet does not break the comparison.
    accept(bert, "other", square(), image_id=1)
    annotating.set_state(bert, 1, "done")
    assert next_image(cleo).round_id == found.round_id
    with team.engines.reading() as session:
        assert len(round_results.compare(team, seats_of_rounds.seats(found.round_id, session=session))) == 1
