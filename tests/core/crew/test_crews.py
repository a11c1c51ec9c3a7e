"""What holds of every crew: order, errors that end one piece only, few pieces ahead, one unpacking for each worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.crew.protocol import Crew
from core.errors import InvalidInput, MasksmithError
from tests.core.crew import tasks


def itself(item: int) -> int:
    return item


@pytest.mark.parametrize("crew", ["processes", "ray"], indirect=True)
def test_results_come_in_order_whoever_is_first(crew: Crew, tmp_path: Path) -> None:
    def let_go(number: int) -> int:
        """Let piece 0 end when piece 2 is on its way, the others at once."""
        (tmp_path / str(number or "nobody")).touch()
        if number == 2:
            (tmp_path / "0").touch()
        return number

    found = crew.each(tasks.waits, range(6), let_go, str(tmp_path))
    assert [(item, outcome.result()) for item, outcome in found] == [(n, n) for n in range(6)]


def test_an_error_ends_one_piece_and_keeps_its_kind(crew: Crew) -> None:
    def load(number: int) -> int:
        if number == 5:
            raise InvalidInput("it must be loadable, got 5")
        return number

    found = dict(crew.each(tasks.fails, range(7), load, None))
    assert [item for item, outcome in found.items() if outcome.error is None] == [0, 4, 6]
    with pytest.raises(InvalidInput, match="must not be 1, got 1"):
        found[1].result()
    with pytest.raises(ZeroDivisionError, match="nobody foresaw this"):
        found[2].result()
    with pytest.raises(MasksmithError, match="an error that pickle cannot make anew"):
        found[3].result()
    with pytest.raises(InvalidInput, match="must be loadable, got 5"):
        found[5].result()


def test_a_few_pieces_are_taken_ahead_and_never_all(crew: Crew) -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            taken.append(len(taken))
            yield taken[-1]

    found = crew.each(tasks.times, endless(), itself, 3)
    assert [next(found)[1].result() for _ in range(20)] == [3 * n for n in range(20)]
    assert len(taken) <= 20 + 4 * getattr(crew, "size", 1)
    found.close()  # type: ignore[attr-defined]
    assert [outcome.result() for _, outcome in crew.each(tasks.times, range(3), itself, 2)] == [0, 2, 4]


def test_a_turn_that_was_left_does_not_disturb_the_next(crew: Crew) -> None:
    left = crew.each(tasks.times, range(100), itself, 3)
    assert next(left)[1].result() == 0
    following = crew.each(tasks.times, range(30), itself, 5)
    assert next(following)[1].result() == 0
    del left  # as when an error that held it is forgotten
    assert [outcome.result() for _, outcome in following] == [5 * n for n in range(1, 30)]


def test_nothing_to_do_is_done(crew: Crew) -> None:
    assert list(crew.each(tasks.times, [], itself, 3)) == []


def test_what_all_have_in_common_reaches_each_worker_once(crew: Crew, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.touch()
    found = list(crew.each(tasks.process, range(12), itself, tasks.Noted(str(notes))))
    unpacked = notes.read_text().split()
    assert len(unpacked) == len(set(unpacked))
    assert set(unpacked) <= {str(outcome.result()) for _, outcome in found}


@pytest.mark.parametrize("crew", ["processes", "ray"], indirect=True)
def test_what_a_worker_cannot_unpack_is_told(crew: Crew) -> None:
    for _, outcome in crew.each(tasks.times, range(3), itself, tasks.Odd()):  # type: ignore[misc, arg-type]
        with pytest.raises(InvalidInput, match="must be able to unpack this, but cannot"):
            outcome.result()
