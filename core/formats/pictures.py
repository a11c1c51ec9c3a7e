"""Maps of labels in picture files: one number a pixel, looked at before it is unpacked."""

import warnings
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import masks
from core.errors import InvalidInput
from core.formats.fields import MOST_BYTES, content, shown
from core.masks import MAX_SIDE, Mask, Rle

FORMATS: Final = ("PNG", "TIFF", "BMP")
SUFFIXES: Final = (".png", ".tif", ".tiff", ".bmp")
MOST_PIXELS: Final = 100_000_000
MOST_NUMBERS: Final = 5000
ROWS: Final = 256
_MODES: Final = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")


@dataclass(slots=True)
class LabelMap:
    """A picture whose pixels are numbers: those of a palette, or of 8, 16 or 32 bits.

    Its size is known at once; its pixels are unpacked when they are asked for, and kept.
    """

    source: Path | bytes
    name: str
    size_hw: tuple[int, int]
    colours: dict[tuple[int, int, int], int] | None = None
    _pixels: NDArray[Any] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, source: Path | bytes, name: str, colours: dict[tuple[int, int, int], int] | None = None) -> "LabelMap":
        """Return the map of a file or of a file's bytes; with `colours` also of a picture painted in these.

        Raises
        ------
        InvalidInput
            If it is no such picture, or absurdly large.
        """
        if isinstance(source, Path):
            content_or_nothing(source)
        with _opened(source, name) as image:
            width, height = image.size
            if image.mode not in _MODES and not (colours and image.mode == "RGB"):
                raise InvalidInput(f"{name} must have one number a pixel, or a palette, got {image.mode}")
        if max(width, height) > MAX_SIDE or width * height > MOST_PIXELS:
            most = MOST_PIXELS // 10**6
            raise InvalidInput(f"{name} must have at most {most} million pixels, got {width} x {height}")
        return cls(source, name, (height, width), colours)

    def pixels(self) -> NDArray[Any]:
        """Return the numbers, shape (H, W).

        Raises
        ------
        InvalidInput
            If the picture is damaged.
        """
        if self._pixels is None:
            with _opened(self.source, self.name) as image:
                try:
                    image.load()
                    self._pixels = np.asarray(image)
                except MemoryError as error:
                    raise InvalidInput(f"{self.name} must fit into memory, but does not") from error
                except Exception as error:  # damaged bytes make each decoder raise its own
                    raise InvalidInput(f"{self.name} must be a complete picture, got a damaged one") from error
            if self._pixels.ndim == 3:
                self._pixels = self._by_colour(self._pixels)
        return self._pixels

    def _by_colour(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        known = {red << 16 | green << 8 | blue: number for (red, green, blue), number in (self.colours or {}).items()}
        numbers = np.empty(rgb.shape[:2], np.uint8)
        for start in range(0, len(rgb), ROWS):
            red, green, blue = np.moveaxis(rgb[start : start + ROWS].astype(np.int32), 2, 0)
            found, places = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
            strange = [int(colour) for colour in found if int(colour) not in known]
            if strange:
                raise InvalidInput(f"{self.name} must be painted in VOC's colours, got #{strange[0]:06x} too")
            part = np.asarray([known[int(colour)] for colour in found], np.uint8)[places]
            numbers[start : start + ROWS] = part.reshape(red.shape)
        return numbers

    def numbers(self, *, without: tuple[int, ...] = (0,)) -> list[int]:
        """Return the numbers there are, in order.

        Raises
        ------
        InvalidInput
            If the picture is damaged, or there are more than 5000: then it is a photo.
        """
        pixels, found = self.pixels(), set[int]()
        for start in range(0, len(pixels), ROWS):  # sorting all of a large one at once would take many times its size
            found.update(int(number) for number in np.unique(pixels[start : start + ROWS]))
            if len(found) > MOST_NUMBERS:
                raise InvalidInput(f"{self.name} must have at most {MOST_NUMBERS} objects, got more")
        return sorted(number for number in found if number not in without and number > 0)

    def drawn(self, number: int, height: int, width: int) -> Rle:
        """Return where a number is, as runs.

        Raises
        ------
        InvalidInput
            If the map is not of this size, or damaged.
        """
        if self.size_hw != (height, width):
            raise InvalidInput(
                f"{self.name} must have its image's size {width} x {height}, got {self.size_hw[1]} x {self.size_hw[0]}"
            )
        where: Mask = self.pixels() == number
        return masks.encode(where)


def content_or_nothing(path: Path) -> None:
    """Let a file pass that is there and not absurdly long."""
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        content(path)


def _opened(source: Path | bytes, name: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow warns of many pixels; the limit above decides.
            warnings.simplefilter("ignore")
            return Image.open(BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise InvalidInput(f"{name} must have at most {MOST_PIXELS // 10**6} million pixels, got more") from error
    except Exception as error:  # damaged headers make each decoder raise its own
        raise InvalidInput(f"{shown(name)} must be a PNG, TIFF or BMP picture, got something else") from error
