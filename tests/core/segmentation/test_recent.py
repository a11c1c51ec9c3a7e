"""What is kept of embeddings: the newest, made once, and again after a failure."""

import threading

import numpy as np
import pytest

from core.segmentation.protocol import Embedding
from core.segmentation.recent import Recent


def embedding() -> Embedding:
    return Embedding((2, 2), "key", {"a": np.zeros(3, np.float32)})


def test_a_value_is_made_once_for_each_embedding_and_key() -> None:
    recent, one, other, made = Recent[str](4), embedding(), embedding(), list[str]()

    def make(name: str) -> str:
        made.append(name)
        return name

    assert recent.get(one, "k", lambda: make("a")) == "a"
    assert recent.get(one, "k", lambda: make("b")) == "a"
    assert recent.get(other, "k", lambda: make("c")) == "c"
    assert recent.get(one, "j", lambda: make("d")) == "d"
    assert made == ["a", "c", "d"]


def test_the_value_used_least_lately_goes_first() -> None:
    recent, one = Recent[int](2), embedding()
    for key, value in (("a", 1), ("b", 2), ("a", 0), ("c", 3)):
        recent.get(one, key, lambda value=value: value)  # type: ignore[misc]
    assert recent.get(one, "a", lambda: 9) == 1
    assert recent.get(one, "b", lambda: 9) == 9


def test_who_asks_while_it_is_made_waits_for_it() -> None:
    recent, one, begun, go_on = Recent[int](2), embedding(), threading.Event(), threading.Event()
    found: list[int] = []

    def slow() -> int:
        begun.set()
        assert go_on.wait(10)
        return 1

    first = threading.Thread(target=lambda: found.append(recent.get(one, "k", slow)))
    first.start()
    assert begun.wait(10)
    second = threading.Thread(target=lambda: found.append(recent.get(one, "k", lambda: 2)))
    second.start()
    assert recent.get(one, "another", lambda: 3) == 3, "another key does not wait"
    go_on.set()
    first.join(10)
    second.join(10)
    assert found == [1, 1]


def test_a_failure_is_told_and_not_kept() -> None:
    recent, one = Recent[int](2), embedding()
    with pytest.raises(ZeroDivisionError):
        recent.get(one, "k", lambda: 1 // 0)
    assert recent.get(one, "k", lambda: 5) == 5
