"""Memory that the process has freed, given back to the system.

Masks and candidates of many threads come and go. The GNU C library keeps what they leave between what is still in use,
so a server that holds no more than an hour ago takes more.
"""

import ctypes
from functools import cache
from typing import Any, Final

EVERY_S: Final = 60.0
"""How often a server should do so: it takes milliseconds, and others wait for the heap meanwhile."""


def give_back() -> bool:
    """Give freed memory back, and return whether any was; other C libraries than GNU's are left alone."""
    trim = _trim()
    return trim is not None and bool(trim(0))


@cache
def _trim() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
