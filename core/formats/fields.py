"""Fields of other tools' files, looked at before they are believed: what is wrong is said with its place."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from core.errors import InvalidInput
from core.masks import MAX_SIDE

MOST_BYTES: Final = 1 << 30
"""A larger text file is refused: what is read of it takes several times its size in memory."""
MOST_DOCUMENT: Final = 256_000_000
"""A longer JSON document is refused where it must be held whole: as values it takes many times its size."""
LONGEST_LABEL: Final = 200
_PIECE: Final = 1 << 16


def content(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return a file's bytes.

    Raises
    ------
    InvalidInput
        If it is no file, cannot be read, or has more than `most` bytes.
    """
    try:
        if not path.is_file():
            raise InvalidInput(f"{shown(path.name)} must be a file, but there is none of this name")
        size = path.stat().st_size
        if size > most:
            raise InvalidInput(f"{shown(path.name)} must have at most {most // 10**6} MB, got {size // 10**6} MB")
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{shown(path.name)} must be readable, got: {error.strerror}") from error


def document(path: Path) -> Any:
    """Return what a JSON file says.

    Raises
    ------
    InvalidInput
        If it cannot be read, is no JSON, or longer than a document may be.
    """
    data = content(path, MOST_DOCUMENT)
    try:
        return json.loads(data)
    except (ValueError, RecursionError, MemoryError) as error:
        reason = shown(error) or type(error).__name__
        raise InvalidInput(f"{shown(path.name)} must be readable JSON, but is not ({reason})") from error


def dicts(values: Any, what: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list.

    Raises
    ------
    InvalidInput
        If it is no list, or one of its values is no object.
    """
    if not isinstance(values, list):
        raise InvalidInput(f"{what} must be one of a list, got {kind(values)}")
    for value in values:
        yield keyed(value, what)


def keyed(value: Any, what: str) -> dict[str, Any]:
    """Return a value that must be an object with keys."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{what} must be an object with keys, got {kind(value)}")
    return value


def has(value: dict[str, Any], key: str, what: str) -> Any:
    """Return what an object has under a key."""
    if value.get(key) is None:
        raise InvalidInput(f"{what} must have {key}, but has none")
    return value[key]


def identity(value: dict[str, Any], key: str, what: str) -> int | str:
    """Return an id: a whole number or text."""
    found = has(value, key, what)
    if isinstance(found, bool) or not isinstance(found, int | str):
        raise InvalidInput(f"{what} must have a number or text as {key}, got {shown(found)}")
    return found


def text(value: dict[str, Any], key: str, what: str) -> str:
    """Return a text that is not empty."""
    found = has(value, key, what)
    if not isinstance(found, str) or not found:
        raise InvalidInput(f"{what} must have text as {key}, got {shown(found)}")
    return found


def size_of(image: dict[str, Any], what: str, height: str = "height", width: str = "width") -> tuple[int, int]:
    """Return an image's height and width, 1 to 20,000 each."""
    found = has(image, height, what), has(image, width, what)
    if not all(whole(side) and 1 <= side <= MAX_SIDE for side in found):
        raise InvalidInput(
            f"{what} must have a {height} and {width} of 1 to {MAX_SIDE}, got {shown(found[0])} and {shown(found[1])}"
        )
    return found


def whole(value: Any) -> bool:
    """Return whether a value is a whole number; truth values are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def finite(value: Any) -> bool:
    """Return whether a value is a number that is neither infinite, none at all, nor too long for a float."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def score_of(value: dict[str, Any], key: str) -> float | None:
    """Return a score from 0 to 1 that a model gave, None if there is none that can be meant."""
    found = value.get(key)
    return float(found) if found is not None and finite(found) and 0 <= found <= 1 else None


def label_of(value: Any) -> str | None:
    """Return a label as the library takes it: one line of at most 200 characters, None for an empty one."""
    cleaned = " ".join(str(value).split()) if isinstance(value, str | int) else ""
    printable = "".join(char for char in cleaned if char.isprintable())
    return printable[:LONGEST_LABEL].strip() or None


def last_part(name: str) -> str:
    """Return a file's name without folders, whichever way they are written.

    Examples
    --------
    >>> last_part("..\\\\photos\\\\a.jpg"), last_part("train/a.jpg")
    ('a.jpg', 'a.jpg')
    """
    return name.replace("\\", "/").rpartition("/")[2]


def items(path: Path) -> Iterator[Any]:
    """Yield the objects of a JSON file's list one by one, or the one object that it is.

    Memory holds one of them, however many there are.

    Raises
    ------
    InvalidInput
        If the file cannot be read, or is no JSON from some object on.
    """
    decoder = json.JSONDecoder()
    wrong = InvalidInput(f"{shown(path.name)} must be readable JSON, a list of objects or one object, but is not")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InvalidInput(f"{shown(path.name)} must have at most {MOST_BYTES // 10**6} MB, got more")
        with path.open(encoding="utf-8-sig") as file:
            held = file.read(_PIECE).lstrip()
            listed = held.startswith("[")
            held = held[listed:]
            while True:
                held = held.lstrip(" \t\r\n,")
                if not held and not (held := file.read(_PIECE)):
                    return
                if listed and held.startswith("]"):
                    return
                if not held.lstrip(" \t\r\n,"):
                    continue
                held = held.lstrip(" \t\r\n,")
                if not held.startswith("{"):
                    raise wrong
                while True:
                    try:
                        found, end = decoder.raw_decode(held)
                        break
                    except json.JSONDecodeError as error:
                        if len(held) > MOST_DOCUMENT:
                            most = f"at most {MOST_DOCUMENT // 10**6} MB"
                            raise InvalidInput(f"an object of {shown(path.name)} must have {most}, got more") from error
                        if not (more := file.read(max(_PIECE, len(held)))):
                            raise wrong from error
                        held += more
                held = held[end:]
                yield found
    except OSError as error:
        raise InvalidInput(f"{shown(path.name)} must be readable, got: {error.strerror}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise wrong from error


def shown(value: Any) -> str:
    """Return the beginning of a value on one line, as sentences quote it; of lists and objects how long they are."""
    if isinstance(value, list | dict):
        return kind(value)
    words = " ".join(str(value)[:200].split())
    return "".join(char for char in words if char.isprintable())[:60]


def kind(value: Any) -> str:
    """Return what a value is. Text is not told: any file of the server may be taken for one with masks.

    Examples
    --------
    >>> kind([1, 2]), kind({"password": "secret"}), kind("secret"), kind(4)
    ('a list of 2', 'an object of 1', 'text', '4')
    """
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
    return "text" if isinstance(value, str) else shown(value)
