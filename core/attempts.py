"""How often something may be tried: so many times within some minutes, counted by name or address."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

_MOST_KEYS: Final = 10_000


class Attempts:
    """Counts attempts in memory, those of the last `within_s` seconds by key.

    Parameters
    ----------
    most : int
        As many are let through; the next one waits until the oldest is `within_s` old.
    within_s : float
    clock : callable
        Returns seconds that only grow.
    """

    def __init__(self, most: int, within_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._within_s = within_s
        self._clock = clock
        self._lock = threading.Lock()
        self._times: dict[str, deque[float]] = {}

    def take(self, key: str) -> float:
        """Count an attempt and return 0, or return in how many seconds one will be let through."""
        with self._lock:
            now = self._clock()
            times = self._times.pop(key, deque())
            self._times[key] = times  # the newest last: when there are too many keys, the oldest go
            while times and now - times[0] >= self._within_s:
                times.popleft()
            if len(times) >= self._most:
                return self._within_s - (now - times[0])
            times.append(now)
            while len(self._times) > _MOST_KEYS:
                self._times.pop(next(iter(self._times)))
            return 0.0

    def forgive(self, key: str) -> None:
        """Take the newest attempt of a key back: it was none of those that are counted."""
        with self._lock:
            if times := self._times.get(key):
                times.pop()

    def forget(self, key: str) -> None:
        """Count a key anew."""
        with self._lock:
            self._times.pop(key, None)
