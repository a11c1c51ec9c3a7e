"""From the size that masks were drawn at to the working image's: turned upright, made smaller, or refused."""

import cv2
import numpy as np

from core import masks as pixels
from core.errors import InvalidInput
from core.masks import Mask, Rle
from core.pictures import orientation_of, turned
from core.workshop import Library
from storage.errors import StorageError
from storage.rows import LibraryNameRow


class Fitting:
    """From the size that an image's masks were drawn at to its working image's."""

    def __init__(self, library: Library, image: LibraryNameRow, drawn_hw: tuple[int, int]) -> None:
        self._working_hw = (image.height, image.width)
        original_hw = (image.original_height, image.original_width)
        self._orientation = 1
        if drawn_hw not in (self._working_hw, original_hw):
            # Some tools show a photo as it lies in its file, on its side.
            if drawn_hw == original_hw[::-1]:
                self._orientation = _orientation(library, image.sha256)
            if self._orientation < 5:
                raise InvalidInput(
                    f"masks must have the size of their photo {image.original_width} x {image.original_height} "
                    f"or of its working image {image.width} x {image.height}, got {drawn_hw[1]} x {drawn_hw[0]}"
                )

    @property
    def turns(self) -> bool:
        """Whether masks have to be turned upright."""
        return self._orientation != 1

    def fitted(self, drawn: Rle) -> tuple[Rle | None, float | None]:
        """Return a mask at the working image's size, None if nothing is left, and how far it agrees if it was resized.

        A pixel is mask where at least half of it was.
        """
        if (drawn["size"][0], drawn["size"][1]) == self._working_hw and not self.turns:
            return pixels.encode(pixels.decode(drawn)), None  # one mask, one text: runs of no pixels are legal
        mask = turned(pixels.decode(drawn), self._orientation)
        if mask.shape == self._working_hw:
            return pixels.encode(mask), None
        height, width = self._working_hw
        shares = cv2.resize(mask.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_AREA)
        small: Mask = np.asarray(shares > 127)
        if not small.any():
            return None, None
        back = cv2.resize(small.astype(np.uint8), mask.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT).astype(bool)
        return pixels.encode(small), float(np.count_nonzero(back & mask) / np.count_nonzero(back | mask))


def _orientation(library: Library, sha256: str) -> int:
    try:
        return orientation_of(library.files.get("originals", sha256))
    except StorageError:  # without its file nobody knows which way the photo lay
        return 1
