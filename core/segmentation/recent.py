"""What was lately made of embeddings, kept for a while."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from core.segmentation.protocol import Embedding

Value = TypeVar("Value")


@dataclass(slots=True)
class _Entry(Generic[Value]):
    """A value made at most once. The embedding is kept along: its id stays its own for as long as the entry lives."""

    embedding: Embedding
    made: list[Value] = field(default_factory=list)
    turn: threading.Lock = field(default_factory=threading.Lock)


class Recent(Generic[Value]):
    """The values used last, each made of an embedding and a key. Safe to use from many threads.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: OrderedDict[tuple[int, Hashable], _Entry[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, embedding: Embedding, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value that is kept, or make it now; who asks while another makes it waits for that one."""
        place = (id(embedding), key)
        with self._lock:
            entry = self._entries.setdefault(place, _Entry(embedding))
            self._entries.move_to_end(place)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        with entry.turn:
            if not entry.made:
                entry.made.append(make())
            return entry.made[0]
