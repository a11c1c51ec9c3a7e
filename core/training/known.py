"""Photos whose objects are known, to learn from as they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.training.examples import Dataset, Entry

MOST_MARKS: Final = 255


@dataclass(frozen=True, slots=True)
class KnownPhoto:
    """A photo and which object each of its pixels shows.

    Attributes
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    objects : ndarray of uint8, shape (H, W)
        0: none that is known.
    """

    image: NDArray[np.uint8]
    objects: NDArray[np.uint8]


def known_photos(dataset: Dataset) -> list[KnownPhoto]:
    """Return a data set's photos with their objects, at most 255 of each; where two overlap, the smaller one shows.

    Raises
    ------
    InvalidInput
        If a photo or a mask cannot be read.
    """
    by_photo: dict[str, list[Entry]] = {}
    for entry in dataset.entries:
        by_photo.setdefault(entry.photo.name, []).append(entry)
    return [_known(entries) for entries in by_photo.values()]


def _known(entries: Iterable[Entry]) -> KnownPhoto:
    examples = sorted((entry.read() for entry in entries), key=lambda example: -example.area)[:MOST_MARKS]
    first = examples[0]
    objects = np.zeros(first.truth.shape, np.uint8)
    for number, example in enumerate(examples, start=1):
        objects[example.truth] = number
    return KnownPhoto(first.photo.read(first.drawn_hw), objects)
