"""People's names and e-mail addresses, written one way."""

import re
import unicodedata
from typing import Final

from core.errors import InvalidInput

LONGEST: Final = 60
LONGEST_EMAIL: Final = 254


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


def email_address(text: str) -> str:
    """Return an e-mail address in lower case.

    It is ASCII: beyond that, letters that look alike or are folded into one another are different people's.

    Raises
    ------
    InvalidInput
        If it cannot be an address.

    Examples
    --------
    >>> email_address(" Ada@Example.org ")
    'ada@example.org'
    """
    address = text.strip()
    if len(address) > LONGEST_EMAIL or not re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", address):
        raise InvalidInput(
            f"an e-mail address must be name@host in at most {LONGEST_EMAIL} ASCII characters, got {text[:80]!r}"
        )
    return address.lower()
