"""Two processes with one database: nothing is done twice, nothing is lost, counters are right."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from core import annotating, sign_in
from core.importing import import_bytes
from core.settings import Settings
from core.workshop import Library, open_library
from storage import images, jobs, masks, people, tallies
from tests.conftest import photo, square
from tests.core.conftest import accept, events
from tests.storage.test_jobs import lapse
from tests.storage.test_tallies import everything

pytestmark = pytest.mark.both_databases

TIMES = 20
_together: Any = None


def _begin(barrier: Any) -> None:
    global _together
    _together = barrier


def _do(action: Callable[[Library, int], Any], settings: Settings, number: int) -> Any:
    """Open the library in this process, wait for the other one, and act."""
    _together.wait()
    library = open_library(settings, samples=False)
    try:
        _together.wait()
        return action(library, number)
    finally:
        library.close()


@dataclass(frozen=True, slots=True)
class Two:
    """Two processes that open libraries of their own."""

    pool: ProcessPoolExecutor
    barrier: Any

    def do(self, action: Callable[[Library, int], Any], settings: Settings) -> list[Any]:
        """Let both do something at once, each with its number, and return what each returned."""
        self.barrier.reset()  # it is broken for good by a test that failed
        return list(self.pool.map(partial(_do, action, settings), (0, 1)))


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2, timeout=120)
    with ProcessPoolExecutor(2, mp_context=context, initializer=_begin, initargs=(barrier,)) as pool:
        yield Two(pool, barrier)


def accept_under_same_keys(library: Library, _number: int) -> list[tuple[int, bool]]:
    found = [accept(library, f"key-{n}", square(n, n)) for n in range(TIMES)]
    return [(saved.mask_id, saved.created) for saved in found]


def test_a_key_that_comes_to_both_at_once_saves_one_mask(two: Two, stocked: Library) -> None:
    first, second = two.do(accept_under_same_keys, stocked.settings)
    assert [mask_id for mask_id, _ in first] == [mask_id for mask_id, _ in second]
    assert [one[1] + other[1] for one, other in zip(first, second, strict=True)] == [1] * TIMES
    with stocked.engines.reading() as session:
        assert [mask.key for mask in masks.of_image(1, session=session)] == [f"key-{n}" for n in range(TIMES)]
    assert [kind for kind, *_ in events(stocked)].count("accept") == TIMES
    assert_counted(stocked, {1: TIMES})


def work_on_one_image(library: Library, number: int) -> None:
    """Accept, correct, delete and restore masks beside the other one."""
    for n in range(TIMES):
        key = f"{number}-{n}"
        accept(library, key, square(n, 30 * number))
        if n % 3 == 1:
            accept(library, f"{key}-better", square(n, 30 * number, 10), supersedes=key)
        elif n % 4 == 2:
            annotating.delete_mask(library, key)
        if n % 8 == 6 and n % 3 != 1:
            annotating.restore_mask(library, key)


def test_masks_on_one_image_are_counted_as_they_are(two: Two, stocked: Library) -> None:
    two.do(work_on_one_image, stocked.settings)
    with stocked.engines.reading() as session:
        found = masks.of_image(1, session=session)
    assert len({mask.key for mask in found}) == len(found) > TIMES
    assert_counted(stocked, {1: len(found)})


def assert_counted(library: Library, wanted: dict[int, int]) -> None:
    """Check the images' counters, and that a recount would change no counter at all."""
    with library.engines.writing() as session:
        kept = everything(session)
        assert {n: images.get(n, session=session).masks for n in wanted} == wanted
        tallies.recount(session=session)
        assert everything(session) == kept


def claim_all(library: Library, _number: int) -> list[list[bool]]:
    got = []
    for job_id in range(1, TIMES + 1):
        with library.engines.writing() as session:
            promised = jobs.hand_over(job_id, session=session)
        with library.engines.writing() as session:
            got.append([promised, jobs.claim(job_id, session=session) is not None])
    return got


def test_a_job_is_given_to_one_of_them(two: Two, stocked: Library) -> None:
    with stocked.engines.writing() as session:
        ids = [jobs.add("retrain", {}, session=session) for _ in range(TIMES)]
    assert ids == list(range(1, TIMES + 1))
    for _ in range(2):
        first, second = two.do(claim_all, stocked.settings)
        for own, other in zip(first, second, strict=True):
            assert own[1] + other[1] == 1
            assert own[0] + other[0] <= 1
        for job_id in ids:  # both processes are killed, and two others find the jobs
            lapse(stocked.engines, job_id)


def take_next(library: Library, _number: int) -> list[int]:
    """Go through all images and finish those that are still new."""
    taken = []
    for image_id in (1, 2, 3):
        with library.engines.writing() as session:
            if images.get(image_id, session=session).state == "new":
                images.set_state(image_id, "done", session=session, only_from="new")
                taken.append(image_id)
    return taken


def test_an_image_is_taken_by_one_of_them(two: Two, stocked: Library) -> None:
    first, second = two.do(take_next, stocked.settings)
    assert sorted(first + second) == [1, 2, 3]


def import_all(library: Library, _number: int) -> tuple[int, int]:
    uploads = [(f"new-{n}.png", photo(n)) for n in range(4, 10)]
    report = import_bytes(uploads, engines=library.engines, files=library.files, project_id=library.project_id)
    return report.imported, report.duplicates


def test_a_photo_that_both_import_is_one_image(two: Two, stocked: Library) -> None:
    first, second = two.do(import_all, stocked.settings)
    assert first[0] + second[0] == first[1] + second[1] == 6
    with stocked.engines.reading() as session:
        assert images.count(1, session=session) == 9


def who_is_there(library: Library, _number: int) -> tuple[int, int]:
    return library.project_id, library.person_id


def test_two_first_starts_at_once_make_one_library(two: Two, settings: Settings) -> None:
    assert two.do(who_is_there, settings) == [(1, 1), (1, 1)]


def password_of_one(library: Library, number: int) -> list[bool]:
    """Ask whether people must sign in before and after one of them gave the owner a password."""
    asked = [sign_in.required(library)]
    _together.wait()
    if number == 0:
        with library.engines.writing() as session:
            people.set_password(1, "hash", must_change=False, session=session)
    _together.wait()
    return [*asked, sign_in.required(library)]


def test_a_password_set_in_one_closes_the_doors_of_the_other(two: Two, stocked: Library) -> None:
    assert two.do(password_of_one, stocked.settings) == [[False, True], [False, True]]
