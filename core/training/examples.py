"""What segmenters are measured on: photos, and one object each that is known in them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InvalidInput
from core.pictures import WORKING_SIDE, read_picture
from core.segmentation.protocol import Mask, RgbImage, digest

Drawing = NDArray[np.uint8]
"""A mask as it is drawn, shape (H, W): `OBJECT`, `UNSURE` or 0 at each pixel."""
Progress = Callable[[int, int], None]

OBJECT: Final = 255
UNSURE: Final = 128
LEAST_AREA: Final = 100


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a data set.

    Attributes
    ----------
    name : str
        One of its own within the data set.
    data : callable
        Reads the file's bytes.
    working : bool
        Whether the bytes are a working image already, as the library keeps them.
    """

    name: str
    data: Callable[[], bytes]
    working: bool = False

    def read(self, drawn_hw: tuple[int, int]) -> RgbImage:
        """Return the working image, shape (H, W, 3), as annotators would see it: upright, at most 1500 px.

        Parameters
        ----------
        drawn_hw : tuple of int
            Height and width at which its masks are drawn.

        Raises
        ------
        InvalidInput
            If it is no image, or its upright size is not that of its masks.
        """
        try:
            pixels, size_wh = self._pixels()
        except InvalidInput as error:
            raise InvalidInput(f"the photo {self.name} cannot be used: {error}") from error
        if size_wh != (drawn_hw[1], drawn_hw[0]):
            raise InvalidInput(
                f"the masks of {self.name} must have its size {size_wh[0]} x {size_wh[1]}, "
                f"got {drawn_hw[1]} x {drawn_hw[0]}"
            )
        height, width = working_hw(drawn_hw)
        if pixels.shape[:2] != (height, width):  # a JPEG read at half size may round a side the other way
            pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        return pixels

    def content(self) -> bytes:
        """Return the file's bytes.

        Raises
        ------
        InvalidInput
            If it cannot be read.
        """
        try:
            return self.data()
        except OSError as error:
            raise InvalidInput(f"the photo {self.name} must be readable, but is not ({error.strerror})") from error

    def _pixels(self) -> tuple[RgbImage, tuple[int, int]]:
        data = self.content()
        size_wh = None
        if not self.working:
            picture = read_picture(data)
            data, size_wh = picture.working, picture.original_size_wh
        with Image.open(BytesIO(data)) as image:
            return np.asarray(image.convert("RGB")), size_wh or image.size


@dataclass(frozen=True, slots=True)
class Example:
    """One object of a photo, at the size of the working image.

    Attributes
    ----------
    id : str
        One of its own within the data set.
    photo : Photo
    drawn_hw : tuple of int
        Height and width at which the mask was drawn.
    truth, unsure : ndarray of bool, shape (H, W)
        What is object, and where nobody knows; the two never overlap.
    """

    id: str
    photo: Photo
    drawn_hw: tuple[int, int]
    truth: Mask
    unsure: Mask

    @property
    def area(self) -> int:
        """Pixels of the object."""
        return int(self.truth.sum())

    def with_photo(self) -> "Example":
        """Return the same with the photo's bytes in it, so that it can travel."""
        return replace(self, photo=replace(self.photo, data=partial(bytes, self.photo.content())))

    def mark(self) -> str:
        """Return a hash of everything that is measured on: the photo's bytes and the masks' pixels."""
        parts = (self.photo.content(), repr(self.truth.shape), self.truth.tobytes(), self.unsure.tobytes())
        return digest(*parts)[:16]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an example is; reading it takes a moment, knowing of it does not."""

    id: str
    photo: Photo
    drawing: Callable[[], Drawing]

    def read(self) -> Example:
        """Return the example, reduced to the working image's size as its photo is.

        Raises
        ------
        InvalidInput
            If its mask cannot be read.
        """
        try:
            drawing = self.drawing()
        except InvalidInput as error:
            raise InvalidInput(f"the mask {self.id} cannot be used: {error}") from error
        drawn_hw = (drawing.shape[0], drawing.shape[1])
        height, width = working_hw(drawn_hw)
        if drawn_hw != (height, width):
            drawing = np.asarray(cv2.resize(drawing, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
        return Example(self.id, self.photo, drawn_hw, drawing == OBJECT, drawing == UNSURE)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Photos with known objects.

    Attributes
    ----------
    name : str
        Name for people.
    fingerprint : str
        Hash of what its index says and of its files' sizes; two data sets of one fingerprint list the same objects.
    entries : tuple of Entry
        Every object, in the order of the index.
    crowds : int
        Annotations of many objects at once, which are no objects to click on and are not among the entries.
    """

    name: str
    fingerprint: str
    entries: tuple[Entry, ...]
    crowds: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """Objects to measure on, those of one photo together, and how many were too small on the way to them."""

    entries: tuple[Entry, ...]
    left_out: int


def choose(dataset: Dataset, count: int | None, seed: int, *, progress: Progress | None = None) -> Choice:
    """Return `count` objects of at least 100 pixels, at random but always the same for a seed; all for None.

    Objects are gone through in a random order until there are enough, so only that many masks are read.
    A larger count chooses the same objects and more.

    Raises
    ------
    InvalidInput
        If a mask cannot be read, or no object is large enough.
    """
    wanted = min(len(dataset.entries), count or len(dataset.entries))
    chosen: dict[str, list[Entry]] = {}
    found = left_out = 0
    for index in np.random.default_rng(seed).permutation(len(dataset.entries)):
        if found == wanted:
            break
        entry = dataset.entries[index]
        if entry.read().area < LEAST_AREA:
            left_out += 1
            continue
        chosen.setdefault(entry.photo.name, []).append(entry)
        found += 1
        if progress:
            progress(found, wanted)
    if not found:
        raise InvalidInput(
            f"{dataset.name} must have an object of at least {LEAST_AREA} pixels, got none among {len(dataset.entries)}"
        )
    return Choice(tuple(entry for entries in chosen.values() for entry in entries), left_out)


def drawn(mask: Mask) -> Drawing:
    """Return a mask as it would be drawn; no pixel is unsure."""
    return np.where(mask, np.uint8(OBJECT), np.uint8(0))


def working_hw(drawn_hw: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width of the working image of a photo of this size.

    Examples
    --------
    >>> working_hw((3000, 2000)), working_hw((90, 120))
    ((1500, 1000), (90, 120))
    """
    scale = min(1.0, WORKING_SIDE / max(drawn_hw))
    return max(1, round(drawn_hw[0] * scale)), max(1, round(drawn_hw[1] * scale))


def fingerprint(index: bytes, files: list[Path]) -> str:
    """Return the fingerprint of a data set: its index's bytes, and names and sizes of the files it names."""
    hasher = hashlib.sha256(index)
    for path in files:
        hasher.update(f"\0{path.name}\0{path.stat().st_size}".encode())
    return hasher.hexdigest()
