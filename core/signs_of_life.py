"""When a person's lease on an image was last renewed by this server: a click need not write each time."""

import threading
import time
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 30.0
_MOST: Final = 10_000


class SignsOfLife:
    """Says whether a sign of life is worth writing down: once in a while for each person and image.

    Its clock never goes back, whatever is done to the machine's.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._noted: dict[tuple[int, int], float] = {}
        self._lock = threading.Lock()

    def due(self, image_id: int, person_id: int) -> bool:
        """Return whether the last sign of life that was written is old; this one counts as written then."""
        key, at = (image_id, person_id), self._clock()
        with self._lock:
            last = self._noted.pop(key, None)
            is_due = last is None or at - last >= EVERY_S
            self._noted[key] = at if is_due or last is None else last
            while len(self._noted) > _MOST:
                self._noted.pop(next(iter(self._noted)))
        return is_due
