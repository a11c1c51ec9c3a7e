"""Turns: few at a time, in order, and a client's newer wish replaces its older one."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from core.errors import Superseded
from core.segmentation.turns import Turns

PATIENCE_S = 20.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread will bring about."""
    tick = threading.Event()
    for _ in range(4000):
        if condition():
            return
        tick.wait(0.005)
    raise AssertionError("it did not come about")


class Queue:
    """Turns that are asked for one after another, each held until it is let go."""

    def __init__(self, at_once: int) -> None:
        self.turns = Turns(at_once)
        self.pool = ThreadPoolExecutor(16)
        self.inside: list[str] = []
        self.gates: dict[str, threading.Event] = {}

    def ask(self, name: str, client: str = "") -> "Future[None]":
        """Ask for a turn, and return once it is had or waited for."""
        replaces = bool(client) and any(place.client == client for place in self.turns._waiting)
        expected = len(self.inside) + len(self.turns._waiting) + (0 if replaces else 1)
        self.gates[name] = threading.Event()
        future = self.pool.submit(self._run, name, client)
        until(lambda: len(self.inside) + len(self.turns._waiting) == expected)
        return future

    def leave(self, *names: str) -> None:
        for name in names:
            self.gates[name].set()

    def _run(self, name: str, client: str) -> None:
        with self.turns.turn(client):
            self.inside.append(name)
            assert self.gates[name].wait(PATIENCE_S)


@pytest.fixture
def queue() -> Queue:
    return Queue(2)


def test_no_more_than_allowed_are_in_and_the_others_follow_in_order(queue: Queue) -> None:
    futures = [queue.ask(name) for name in "abcd"]
    assert sorted(queue.inside) == ["a", "b"]
    queue.leave("b")
    until(lambda: len(queue.inside) == 3)
    assert queue.inside[2] == "c"
    queue.leave("a", "c", "d")
    for future in futures:
        future.result(PATIENCE_S)
    assert queue.inside[3] == "d"


def test_a_clients_newer_wish_replaces_the_one_that_waits(queue: Queue) -> None:
    queue.ask("a")
    queue.ask("b")
    older = queue.ask("older", "me")
    queue.ask("other", "you")
    newer = queue.ask("newer", "me")
    with pytest.raises(Superseded, match="newer request"):
        older.result(PATIENCE_S)
    queue.leave("a", "b", "other", "newer")
    newer.result(PATIENCE_S)
    assert set(queue.inside) == {"a", "b", "other", "newer"}


def test_a_turn_that_fails_is_given_back() -> None:
    turns = Turns(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), turns.turn("me"):
            raise ZeroDivisionError
    with turns.turn("me"):
        pass


def test_nobodys_turns_do_not_replace_each_other(queue: Queue) -> None:
    futures = [queue.ask(name) for name in "abcd"]
    queue.leave(*"abcd")
    for future in futures:
        future.result(PATIENCE_S)
    assert sorted(queue.inside) == list("abcd")
