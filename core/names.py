"""People's names, written one way."""

import unicodedata
from typing import Final

from core.errors import InvalidInput

LONGEST: Final = 60


def person_name(text: str) -> str:
    """Return a name without the blanks around and within it that nobody sees.

    Raises
    ------
    InvalidInput
        If nothing is left, it is too long, or it has characters that do not print.

    Examples
    --------
    >>> person_name("  Ada   Lovelace ")
    'Ada Lovelace'
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(name) <= LONGEST or not name.isprintable():
        raise InvalidInput(f"a name must have from 1 to {LONGEST} printable characters, got {text[:80]!r}")
    return name
