"""What a name or a time may be, whichever way it comes in: through a route, a page's socket or a program."""

import re
from collections.abc import Mapping
from typing import Final

from core.errors import InvalidInput

KEY: Final = r"^[A-Za-z0-9_.:-]{1,64}$"
"""Names what a client makes: a mask, a skip, an object in work."""
LONGEST_MS: Final = 7 * 24 * 3600 * 1000
"""The longest that one of an object's times may be: a week."""


def check_key(key: str, what: str = "a key") -> None:
    """Refuse a name that is none.

    Raises
    ------
    InvalidInput
        If it has other characters than letters, digits and `_.:-`, or not 1 to 64 of them.
    """
    if not re.fullmatch(KEY, key):
        raise InvalidInput(f"{what} must be 1 to 64 letters, digits or _.:- , got {key[:80]!r}")


def check_own_key(key: str, what: str = "a key") -> None:
    """Refuse a name under which nothing may be saved: none, or a number.

    In a path a number is an id: under a key like "7" another mask would be deleted than the one that was saved.

    Raises
    ------
    InvalidInput
        If it is no key, or a number.
    """
    check_key(key, what)
    if key.isdecimal():
        raise InvalidInput(f"{what} must be no number, as ids are numbers, got {key!r}")


def check_times(times: Mapping[str, int]) -> None:
    """Refuse times that nobody can have spent.

    Raises
    ------
    InvalidInput
        If one is negative, or longer than a week.
    """
    for name, spent in times.items():
        if not 0 <= spent <= LONGEST_MS:
            raise InvalidInput(f"{name} must be from 0 to {LONGEST_MS}, got {spent}")
