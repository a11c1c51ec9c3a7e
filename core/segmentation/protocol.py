"""The words of segmentation: prompt, embedding, candidate, segmenter."""

import hashlib
import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.segmentation.windows import Window

Level = Literal["whole", "part", "subpart"]
RgbImage = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Logits = NDArray[np.float32]

COARSE_SIDE: Final = 256
MAX_POINTS: Final = 256


@dataclass(frozen=True, slots=True)
class Point:
    """A click at (x, y) in working-image pixels; `label` 1 is foreground, 0 background."""

    x: float
    y: float
    label: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the annotator gave: points in the order they were set, and a box (x0, y0, x1, y1) or none."""

    points: tuple[Point, ...] = ()
    box: tuple[float, float, float, float] | None = None

    def check(self, *, height: int, width: int) -> "Prompt":
        """Return this prompt with the box's corners in order, once it fits an image of this size.

        Raises
        ------
        InvalidInput
            If there is neither point nor box, too many points, or anything outside the image.
        """
        if not self.points and self.box is None:
            raise InvalidInput("a prompt must have a point or a box, got neither")
        if len(self.points) > MAX_POINTS:
            raise InvalidInput(f"a prompt must have at most {MAX_POINTS} points, got {len(self.points)}")
        for point in self.points:
            if not (_within(point.x, width) and _within(point.y, height)):
                raise InvalidInput(
                    f"a point must lie in the image of {width} x {height}, got ({point.x:g}, {point.y:g})"
                )
            if point.label not in (0, 1):
                raise InvalidInput(f"a point's label must be 1 (foreground) or 0 (background), got {point.label}")
        if self.box is None:
            return self
        x0, x1 = sorted((self.box[0], self.box[2]))
        y0, y1 = sorted((self.box[1], self.box[3]))
        if not (_within(x0, width) and _within(x1, width) and _within(y0, height) and _within(y1, height)):
            raise InvalidInput(f"a box must lie in the image of {width} x {height}, got {list(self.box)}")
        if x1 - x0 < 1 or y1 - y0 < 1:
            raise InvalidInput(f"a box must be at least one pixel wide and high, got {list(self.box)}")
        return Prompt(self.points, (x0, y0, x1, y1))


def _within(value: float, size: int) -> bool:
    return math.isfinite(value) and 0 <= value <= size


@dataclass(frozen=True, slots=True)
class Embedding:
    """All that decoding needs to know of one image; a value that nobody changes.

    Attributes
    ----------
    size_hw : tuple of int
        Height and width of the working image.
    encoder_key : str
        Which encoder and preprocessing made it; a segmenter takes only its own.
    arrays : mapping of str to ndarray
        Read-only arrays, named as the segmenter likes.
    """

    size_hw: tuple[int, int]
    encoder_key: str
    arrays: Mapping[str, NDArray[np.generic]]

    def __post_init__(self) -> None:
        for array in self.arrays.values():
            array.setflags(write=False)

    @property
    def nbytes(self) -> int:
        """Memory the arrays take."""
        return sum(array.nbytes for array in self.arrays.values())

    def to_bytes(self) -> bytes:
        """Return the embedding as bytes; never a pickle."""
        buffer = io.BytesIO()
        meta = json.dumps({"size_hw": self.size_hw, "encoder_key": self.encoder_key})
        named: dict[str, Any] = {f"a_{name}": array for name, array in self.arrays.items()}
        np.savez(buffer, meta=np.array(meta), **named)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Embedding":
        """Return the embedding kept in `data`.

        Raises
        ------
        ValueError
            If the bytes are something else.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as kept:
                meta = json.loads(str(kept["meta"]))
                arrays = {name[2:]: kept[name] for name in kept.files if name.startswith("a_")}
                height, width = meta["size_hw"]
                return cls((int(height), int(width)), str(meta["encoder_key"]), arrays)
        except Exception as error:  # zipfile, zlib, json and numpy each raise their own, none of one family
            raise ValueError(f"bytes must be a kept embedding, got others ({error})") from error


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible mask for a prompt. The full-size mask is made when it is asked for, once.

    Attributes
    ----------
    predicted_iou : float
        What the segmenter expects the IoU with the object to be, in [0, 1].
    stability_score : float
        IoU of the masks cut at logits +1 and -1, in [0, 1]; 1 = a sharp decision everywhere.
    level : str
        "whole", "part" or "subpart", by order of area among the three.
    low_res : ndarray of float32
        Logits to refine from; their size is the segmenter's own.
    window : Window, optional
        What part of the image they show; none: all of it, as the segmenter sees it.
    coarse : ndarray of bool
        The mask over the whole image at small size (longest side at most 256), for thumbnails and hovering.
    """

    predicted_iou: float
    stability_score: float
    level: Level
    low_res: Logits
    coarse: Mask
    upsample: Callable[[], Mask] = field(repr=False, compare=False)
    window: Window | None = None
    _full: list[Mask] = field(default_factory=list, repr=False, compare=False)

    def mask(self) -> Mask:
        """Return the mask at the working image's size, shape (H, W)."""
        if not self._full:
            self._full.append(self.upsample())
        return self._full[0]


class Segmenter(Protocol):
    """Encodes an image once, then decodes any number of prompts. Both calls may come from many threads."""

    @property
    def name(self) -> str:
        """Short name, such as "grabcut" or "vit_b"."""

    @property
    def title(self) -> str:
        """Name for people."""

    @property
    def encoder_key(self) -> str:
        """Hash of encoder weights and preprocessing: embeddings of one key fit each other."""

    @property
    def content_hash(self) -> str:
        """Hash of everything that decides an answer, 64 hexadecimal digits."""

    @property
    def keeps_embeddings(self) -> bool:
        """Whether an embedding costs enough to be kept on disk and made ahead by another process."""

    @property
    def device(self) -> str:
        """Where it computes: "cpu" or "cuda"."""

    def encode(self, image: RgbImage) -> Embedding:
        """Return the embedding of an RGB image of shape (H, W, 3)."""

    def decode(
        self,
        embedding: Embedding,
        prompt: Prompt,
        *,
        refine: "Candidate | None" = None,
        insist: bool = False,
        preview: bool = False,
    ) -> list[Candidate]:
        """Return three candidates, best first; with `preview` only the best, as cheaply as can be.

        `refine` is the candidate that the annotator had chosen before, of this segmenter and image; with `insist`
        they chose it over one with a better score, so what grows out of it is what they mean.
        """


def digest(*parts: bytes | str) -> str:
    """Return the sha256 of the parts, 64 hexadecimal digits."""
    hasher = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        hasher.update(len(data).to_bytes(8, "little"))
        hasher.update(data)
    return hasher.hexdigest()


def coarse_size(size_hw: tuple[int, int]) -> tuple[int, int]:
    """Return the height and width of coarse masks of an image: its aspect, longest side at most 256."""
    height, width = size_hw
    scale = min(1.0, COARSE_SIDE / max(size_hw))
    return max(1, round(height * scale)), max(1, round(width * scale))


LEVELS: Final[tuple[Level, Level, Level]] = ("whole", "part", "subpart")


def levels_by_area(areas: list[float]) -> list[Level]:
    """Return the level of each candidate: the largest is the whole, the smallest the subpart.

    Examples
    --------
    >>> levels_by_area([10, 30, 20])
    ['subpart', 'whole', 'part']
    """
    order = sorted(range(len(areas)), key=lambda index: -areas[index])
    named: list[Level] = ["whole"] * len(areas)
    for rank, index in enumerate(order):
        named[index] = LEVELS[min(rank, 2)]
    return named
