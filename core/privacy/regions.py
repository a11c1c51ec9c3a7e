"""What is to be blurred, and who finds it."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

RgbImage = NDArray[np.uint8]
Kind = Literal["face", "plate"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in working-image pixels, x1 and y1 behind the last pixel."""


@dataclass(frozen=True, slots=True)
class Region:
    """A face or a number plate on a photo. Scores compare what one detector found, and nothing else."""

    kind: Kind
    box: Box
    score: float = 1.0


class Detector(Protocol):
    """Finds faces and number plates.

    A photo whose faces it misses is seen by everybody, so it should rather find too much; people remove what is none.
    """

    @property
    def name(self) -> str:
        """What it is, with its version: photos searched under another name are searched again."""

    def find(self, pixels: RgbImage) -> list[Region]:
        """Return what is on a working image, RGB, shape (H, W, 3). Called from several threads."""


def iou(one: Box, other: Box) -> float:
    """Return intersection over union of two boxes.

    Examples
    --------
    >>> iou((0, 0, 2, 2), (1, 0, 3, 2))
    0.3333333333333333
    """
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / (_area(one) + _area(other) - both)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
