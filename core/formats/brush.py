"""Label Studio's brush: the run lengths of an RGBA picture, packed bit by bit (`rle-pack` of thi.ng/umbrella).

A stream begins with how many values it holds (32 bits), how wide a value is less one (5) and four widths of counts,
each less one (4 each). Then come pieces: whether it repeats one value (1 bit), which of the four widths its count has
(2), the count less one, and one value, or as many as are counted. Where the alpha is, the mask is.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.formats.fields import shown, whole
from core.masks import Mask

_WIDTHS: Final = (3, 4, 8, 16)
_HEADER: Final = 32 + 5 + 4 * 4
_WORD: Final = 8
_CHANNELS: Final = 4
_OPAQUE: Final = 127
"""A brush's edge is blurred: what is more than half opaque is mask."""


def packed(mask: Mask) -> list[int]:
    """Return a mask as Label Studio's stream of bytes, white where it is and transparent elsewhere.

    Examples
    --------
    >>> packed(np.array([[True]]))
    [0, 0, 0, 4, 57, 27, 252, 127, 224]
    """
    values = mask.ravel()
    ends = np.append(np.flatnonzero(values[1:] != values[:-1]) + 1, values.size)
    bits = [f"{values.size * _CHANNELS:032b}{_WORD - 1:05b}", *(f"{width - 1:04b}" for width in _WIDTHS)]
    start = 0
    for end in ends.tolist():
        value = "11111111" if values[start] else "00000000"
        left = (end - start) * _CHANNELS
        while left:
            count = min(left, 1 << _WIDTHS[-1])
            which = next(place for place, width in enumerate(_WIDTHS) if count <= 1 << width)
            bits.append(f"1{which:02b}{count - 1:0{_WIDTHS[which]}b}{value}")
            left -= count
        start = end
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def unpacked(stream: Any, height: int, width: int) -> Mask:
    """Return the mask of a stream, shape (height, width); memory holds a byte a pixel, whatever the stream says.

    Raises
    ------
    InvalidInput
        If it is no list of bytes, ends early, or does not hold four values for each pixel.
    """
    total = height * width * _CHANNELS
    if not isinstance(stream, list) or len(stream) > 2 * total + 64:
        raise InvalidInput(
            f"a brush's rle must be a list of bytes that fits {height * width} pixels, got {shown(stream)}"
        )
    if not all(whole(value) and 0 <= value <= 255 for value in stream):
        raise InvalidInput("a brush's rle must be a list of bytes of 0 to 255, got other values")
    bits = np.unpackbits(np.asarray(stream, np.uint8))
    if bits.size < _HEADER or _number(bits, 0, 32) != total:
        said = _number(bits, 0, 32) if bits.size >= _HEADER else 0
        raise InvalidInput(f"a brush's rle must hold {total} values for {width} x {height} pixels, got {said}")
    word = _number(bits, 32, 5) + 1
    widths = [_number(bits, 37 + 4 * place, 4) + 1 for place in range(4)]
    if word != _WORD:
        raise InvalidInput(f"a brush's rle must have values of {_WORD} bits, got {word}")
    alpha = np.zeros(height * width, bool)
    at, done = _HEADER, 0
    while done < total:
        if at + 3 > bits.size:
            raise InvalidInput(f"a brush's rle must hold {total} values, got {done}")
        repeats, size = bits[at], widths[_number(bits, at + 1, 2)]
        at += 3
        count = _number(bits, at, size) + 1
        at += size
        end = at + (word if repeats else word * count)
        if end > bits.size or done + count > total:
            raise InvalidInput(f"a brush's rle must hold {total} values, got a piece that does not fit")
        # Of the values from `done` on, every fourth is an alpha: those of the pixels from `first` up to `last`.
        first, last = done // _CHANNELS, (done + count) // _CHANNELS
        if repeats:
            alpha[first:last] = _number(bits, at, word) > _OPAQUE
        elif last > first:
            values = np.packbits(bits[at:end])
            alpha[first:last] = values[first * _CHANNELS + 3 - done :: _CHANNELS] > _OPAQUE
        at, done = end, done + count
    return alpha.reshape(height, width)


def _number(bits: NDArray[np.uint8], start: int, width: int) -> int:
    number = 0
    for bit in bits[start : start + width].tolist():
        number = number << 1 | bit
    return number
