"""What a segmenter sees of an image, wherever it computes: the embedding that is kept, or one made of the photo."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from core.segmentation.protocol import Embedding, RgbImage, Segmenter


@dataclass(frozen=True, slots=True)
class Sight:
    """An image on its way to a segmenter: the working image's bytes, its embedding, or both."""

    photo: bytes | None
    embedding: Embedding | None = None

    def pixels(self) -> RgbImage:
        """Return the working image, RGB, shape (H, W, 3)."""
        if self.photo is None:
            raise AssertionError("the photo came along")
        return pixels_of(self.photo)


@dataclass(frozen=True, slots=True)
class Seen:
    """An embedding, and the bytes it is to be kept as if it was made now and is kept at all."""

    embedding: Embedding
    made: bytes | None


def seen(segmenter: Segmenter, sight: Sight) -> Seen:
    """Return the embedding that came along, or make it.

    One that is kept goes through its file form first, so that no answer depends on whether it was kept already.
    """
    if sight.embedding is not None:
        return Seen(sight.embedding, None)
    embedding = segmenter.encode(sight.pixels())
    if not segmenter.keeps_embeddings:
        return Seen(embedding, None)
    made = embedding.to_bytes()
    return Seen(Embedding.from_bytes(made), made)


def pixels_of(photo: bytes) -> RgbImage:
    """Return a working image, RGB, shape (H, W, 3)."""
    with Image.open(BytesIO(photo)) as picture:
        return np.asarray(picture.convert("RGB"))
