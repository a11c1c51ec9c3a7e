"""Turns at something that few can do at once, in the order of asking."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import Superseded


class Turns:
    """Lets a few in at a time. Who asks again gives up the place waited for before.

    Parameters
    ----------
    at_once : int
        How many may be in at the same time.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: deque[_Place] = deque()
        self._change = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    @contextmanager
    def turn(self, client: str = "") -> Iterator[None]:
        """Wait for a turn and keep it for the block.

        Parameters
        ----------
        client : str
            Whose turn it is. A newer one takes the place of one that still waits; "" is nobody's and never replaced.

        Raises
        ------
        Superseded
            If the same client asked anew before the turn came.
        """
        place = _Place(client)
        with self._change:
            if client:
                for older in [waiting for waiting in self._waiting if waiting.client == client]:
                    older.given_up = True
                    self._waiting.remove(older)
            self._waiting.append(place)
            self._change.notify_all()
            self._change.wait_for(lambda: place.given_up or (self._free > 0 and self._waiting[0] is place))
            if place.given_up:
                raise Superseded("a newer request of this client came first")
            self._waiting.popleft()
            self._free -= 1
            self._change.notify_all()
        try:
            yield
        finally:
            with self._change:
                self._free += 1
                self._change.notify_all()


class _Place:
    """One that waits."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.given_up = False
