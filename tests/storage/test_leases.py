"""Leases and the order of what comes next, on whichever database: one image, one pair of hands."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from storage import images, leases, overlaps, people, queue
from storage.engine import Engines, make_engines
from storage.leases import LEASE, QUIET
from tests.storage.conftest import new_image

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
A_LITTLE = timedelta(seconds=1)


@pytest.fixture
def team(engines: Engines) -> Engines:
    """Twenty images, and eight people of the ids 1 to 8."""
    with engines.writing() as session:
        for number in range(1, 20):
            images.insert(new_image(f"{number}.jpg", number), session=session)
        for number in range(2, 9):
            people.get_or_create(f"person {number}", session=session)
    return engines


def take(engines: Engines, person: int, at: datetime = AT, *, image: int = 1, quiet: bool = False) -> bool:
    with engines.writing() as session:
        return leases.take(image, person, f"tab-{person}", at=at, quiet=quiet, session=session)


def next_of(engines: Engines, person: int, at: datetime = AT, *, passed: tuple[int, ...] = ()) -> list[int]:
    with engines.reading() as session:
        return queue.candidates(1, person, at=at, passed=passed, session=session, limit=3)


def test_an_image_is_one_persons_until_the_lease_is_over(team: Engines) -> None:
    assert take(team, 1)
    assert not take(team, 2, AT + LEASE - A_LITTLE)
    assert take(team, 1, AT + LEASE - A_LITTLE)
    assert not take(team, 2, AT + LEASE)
    assert take(team, 2, AT + 2 * LEASE)
    with team.reading() as session:
        held = leases.of_image(1, at=AT + 2 * LEASE, session=session)
        assert held is not None
        assert (held.person_id, held.name, held.taken_at) == (2, "person 2", AT + 2 * LEASE)
        assert leases.of_image(1, at=AT + 3 * LEASE, session=session) is None


def test_a_lease_keeps_its_beginning_while_it_is_renewed_and_no_longer(team: Engines) -> None:
    for later in (timedelta(), LEASE / 2, 2 * LEASE):
        take(team, 1, AT + later)
        with team.reading() as session:
            held = leases.of_image(1, at=AT + later, session=session)
        assert held is not None
        assert held.taken_at == (AT if later < LEASE else AT + later)


def test_who_is_quiet_can_be_taken_over_on_purpose_alone(team: Engines) -> None:
    take(team, 1)
    assert not take(team, 2, AT + QUIET - A_LITTLE, quiet=True)
    assert not take(team, 2, AT + QUIET)
    assert take(team, 2, AT + QUIET, quiet=True)
    assert not take(team, 1, AT + QUIET)


def test_only_the_last_tab_lets_go(team: Engines) -> None:
    take(team, 1)
    with team.writing() as session:
        leases.release(1, 1, client="an older tab", session=session)
        leases.release(1, 2, session=session)
    assert not take(team, 2)
    with team.writing() as session:
        leases.release(1, 1, client="tab-1", session=session)
    assert take(team, 2)
    with team.writing() as session:
        leases.release_all(2, session=session)
    assert take(team, 3)


def test_a_clock_that_was_set_back_holds_nothing_longer_than_a_lease(team: Engines) -> None:
    take(team, 1)
    earlier = AT - timedelta(hours=5)
    assert not take(team, 2, earlier)
    with team.writing() as session:
        leases.shorten(at=earlier, session=session)
    assert not take(team, 2, earlier + LEASE - A_LITTLE)
    assert take(team, 2, earlier + LEASE)


def test_what_comes_next_goes_by_priority_then_place_then_as_imported(team: Engines) -> None:
    with team.writing() as session:
        images.set_places(1, [9, 7, 5], session=session)
        assert images.set_priority([4, 5], 1, session=session) == 2
        images.set_priority([9], 3, session=session)
    assert next_of(team, 1) == [5, 4, 7]
    assert next_of(team, 1, passed=(5, 4, 7)) == [1, 2, 3]
    take(team, 2, image=5)
    with team.writing() as session:
        images.set_state(4, "done", session=session)
    assert next_of(team, 1) == [7, 1, 2]
    assert next_of(team, 2) == [5, 7, 1]
    assert next_of(team, 1, AT + LEASE) == [5, 7, 1]
    with team.reading() as session:
        assert [row.id for row in images.queue(1, session=session, limit=4)] == [5, 4, 7, 1]
        assert [row.id for row in images.queue(1, session=session, limit=2, after=20)] == [9]


def test_who_said_how_far_an_image_is_is_not_overruled_unseen(team: Engines) -> None:
    with team.writing() as session:
        assert images.say_state(1, "done", person_id=1, seen=1, session=session)
        assert not images.say_state(1, "in_work", person_id=2, seen=1, session=session)
        assert images.say_state(1, "done", person_id=2, seen=1, session=session)  # agrees
        assert not images.say_state(1, "in_work", person_id=1, seen=2, session=session)
        assert images.say_state(1, "in_work", person_id=2, seen=1, session=session)  # one's own word
        assert images.say_state(1, "new", person_id=1, seen=None, session=session)
        assert images.get(1, session=session).version == 5


def test_an_image_done_twice_is_given_to_one_other_person(team: Engines) -> None:
    with team.writing() as session:
        for image in (3, 2, 3):
            overlaps.offer(1, image, 1, session=session)
        images.soft_delete([2], session=session)
        assert overlaps.take(1, 1, session=session) is None
        assert overlaps.take(1, 2, session=session) == 3
        assert overlaps.take(1, 3, session=session) is None


def test_people_who_ask_at_once_are_never_given_the_same_image(team: Engines) -> None:
    """Each has a connection of their own, as processes have."""
    url = team.read.url.render_as_string(hide_password=False)
    ready = threading.Barrier(8)
    given: list[tuple[int, int]] = []

    def work(person: int) -> None:
        own = make_engines(url)
        ready.wait()
        while True:
            with own.writing() as session:
                found = queue.candidates(1, person, at=AT, passed=(), session=session, limit=1)
                if not found:
                    break
                assert leases.take(found[0], person, "", at=AT, session=session)
                given.append((found[0], person))
            with own.writing() as session:
                images.say_state(found[0], "done", person_id=person, seen=None, session=session)
                leases.release(found[0], person, session=session)
        own.dispose()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(1, 9)))
    assert sorted(image for image, _ in given) == list(range(1, 21))
    with team.reading() as session:
        assert session.execute(text("SELECT count(*) FROM lease")).scalar_one() == 0


def test_of_people_who_open_one_image_at_once_one_gets_it(team: Engines) -> None:
    url = team.read.url.render_as_string(hide_password=False)
    ready = threading.Barrier(8)

    def open_it(person: int) -> bool:
        own = make_engines(url)
        ready.wait()
        got = take(own, person)
        own.dispose()
        return got

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(open_it, range(1, 9))) == 1
