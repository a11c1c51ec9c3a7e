"""From accepted masks to lessons: what a model's decoder sees of an object, and what it should have answered.

The image encoder stays as it is, so a lesson holds its output, not the photo. A model that looks twice has two
lessons of a small object: in the whole photo, and close by.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core import masks as pixels
from core.errors import ModelUnavailable
from core.masks import Rle
from core.segmentation.closeup import DOT, CloseUpSegmenter
from core.segmentation.looking import window_around
from core.segmentation.protocol import Embedding, Mask, Point, Prompt, Segmenter, coarse_size
from core.segmentation.sam import SamSegmenter
from core.segmentation.sight import Sight, seen
from core.segmentation.travelling import Model
from core.segmentation.windows import Window, whole

LEAST_DOTS: Final = 4.0
"""An object that covers less of the answer teaches nothing there."""
MOST_SHARE: Final = 0.9
"""Masks of nearly the whole photo are left out, as in SAM's training."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One object as a decoder sees it.

    Attributes
    ----------
    features : ndarray of float16, shape (C, S / 16, S / 16)
        What the image encoder makes of the photo, or of a part of it; several lessons may share it.
    side : int
        Of the network's input, S.
    truth : ndarray of uint8, shape (S / 4, S / 4)
        How far each dot of the answer is the object's, 0 to 255.
    inside_hw : tuple of int
        Rows and columns of it that lie on the photo; the rest is padding.
    """

    features: NDArray[np.float16]
    side: int
    truth: NDArray[np.uint8]
    inside_hw: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """An image with masks to learn from, and what its chance is begun with: the same lessons wherever they are made."""

    sight: Sight
    masks: tuple[Rle, ...]
    chance: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Taught:
    """The lessons of an image, and its embedding's bytes if it was made now and is kept."""

    lessons: tuple[Lesson, ...]
    made: bytes | None


def taught(model: Model, page: Page) -> Taught:
    """Return the lessons that an image's masks are for a model."""
    has, rng = seen(model.segmenter, page.sight), np.random.default_rng(page.chance)
    lessons = (
        lesson for rle in page.masks for lesson in lessons_of(model.segmenter, has.embedding, pixels.decode(rle), rng)
    )
    return Taught(tuple(lessons), has.made)


def lessons_of(segmenter: Segmenter, embedding: Embedding, mask: Mask, rng: np.random.Generator) -> Iterator[Lesson]:
    """Yield the lessons that a mask of shape (H, W) is for a model.

    Parameters
    ----------
    embedding : Embedding
        Of the mask's image, by this model.
    rng : Generator
        The part of a photo that is looked at closely is never twice the same in use, and not here.

    Raises
    ------
    ModelUnavailable
        If the model has nothing that learns.
    """
    if not 0 < mask.mean() <= MOST_SHARE:
        return
    if isinstance(segmenter, SamSegmenter):
        yield from _lesson(segmenter, embedding, mask)
    elif isinstance(segmenter, CloseUpSegmenter):
        yield from _lesson(segmenter.wide, embedding, mask)
        window = _window(mask, rng)
        if window is not None:
            close = segmenter.close.encode(np.ascontiguousarray(window.crop(embedding.arrays["image"])))
            yield from _lesson(segmenter.close, close, window.crop(mask))
    else:
        raise ModelUnavailable(f"a model must have weights to be retrained, but {segmenter.name} has none")


def _lesson(sam: SamSegmenter, embedding: Embedding, mask: Mask) -> Iterator[Lesson]:
    height, width = sam.input_size(embedding.size_hw)
    dots = sam.side // DOT
    rows, columns = max(1, round(height / DOT)), max(1, round(width / DOT))
    truth = np.zeros((dots, dots), np.uint8)
    truth[:rows, :columns] = cv2.resize(mask.astype(np.uint8) * 255, (columns, rows), interpolation=cv2.INTER_AREA)
    if truth.sum() >= LEAST_DOTS * 255:
        features: Any = embedding.arrays["features"]
        yield Lesson(features, sam.side, truth, (rows, columns))


def _window(mask: Mask, rng: np.random.Generator) -> Window | None:
    """Return a part of the photo around an object, a little off and a little large or small, as it is in use."""
    rows, columns = np.nonzero(mask)
    deep = int(rng.integers(len(rows)))
    prompt = Prompt((Point(columns[deep] + 0.5, rows[deep] + 0.5, 1),))
    coarse = cv2.resize(mask.astype(np.float32), coarse_size(mask.shape)[::-1], interpolation=cv2.INTER_AREA)
    window = window_around(coarse > 0, prompt, mask.shape)
    if window is None or window == whole(mask.shape):
        return None
    side = max(window.x1 - window.x0, window.y1 - window.y0)
    x0, y0, x1, y1 = (round(edge + rng.normal(0, 0.06) * side) for edge in (window.x0, window.y0, window.x1, window.y1))
    height, width = mask.shape
    moved = Window(max(0, min(x0, width - 2)), max(0, min(y0, height - 2)), min(width, x1), min(height, y1))
    return moved if moved.x1 - moved.x0 > 1 and moved.y1 - moved.y0 > 1 else window
