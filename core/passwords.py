"""Passwords: what one must be, its hash, and first ones that are made up. Nothing here keeps or logs one."""

import secrets
import unicodedata
from functools import lru_cache
from typing import Final

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from core.errors import InvalidInput

SHORTEST: Final = 12
LONGEST: Final = 256
_HASHES: Final = PasswordHash((Argon2Hasher(),))
# Without the letters and digits that are mistaken for one another.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def check(password: str) -> None:
    """Refuse a password that is too short or too long.

    Raises
    ------
    InvalidInput
        The message says how long it is, never what it is.
    """
    if not SHORTEST <= len(_same(password)) <= LONGEST:
        raise InvalidInput(f"a password must have from {SHORTEST} to {LONGEST} characters, got {len(_same(password))}")


def hashed(password: str) -> str:
    """Return the argon2id hash of a password, salt and costs in it."""
    return _HASHES.hash(_same(password))


def matches(password: str, password_hash: str | None) -> bool:
    """Return whether a password is the one of a hash. Without a hash it takes as long, and the answer is no."""
    right = _HASHES.verify(_same(password[: LONGEST + 1]), password_hash or _nobodys())
    return right and password_hash is not None


def made_up() -> str:
    """Return a new random password of 99 bits that can be read out, such as "k7mfa-x2c9p-..."."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return hashed(secrets.token_urlsafe())


def _same(password: str) -> str:
    """Return a password as it is hashed: keyboards write one and the same letter in several ways."""
    return unicodedata.normalize("NFKC", password)
