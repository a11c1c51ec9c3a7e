"""Text from outside, shown as it is."""

from typing import Final

_SPECIAL: Final = frozenset("\\`*_{}[]()#+-.!|<>~$:")


def plain(text: str) -> str:
    """Return text that Markdown shows character for character.

    Examples
    --------
    >>> plain("a_b*.jpg")
    'a\\\\_b\\\\*\\\\.jpg'
    """
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in text)


def sentence(error: Exception) -> str:
    """Return what an error says, as a sentence of its own.

    Examples
    --------
    >>> sentence(ValueError("a mask must be whole, got a half"))
    'A mask must be whole, got a half.'
    """
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith('.') else '.'}"


def counted(count: int, most: int) -> str:
    """Return a count of which no more than `most` were looked for.

    Examples
    --------
    >>> counted(7, 500), counted(500, 500)
    ('7', '500+')
    """
    return f"{count:,}+" if count >= most else f"{count:,}"
