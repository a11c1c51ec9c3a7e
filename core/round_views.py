"""Two people's masks of one image beside each other, coloured by how far they agree."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.mask_rows import decoded
from core.masks import Mask
from core.quality.agreement import ALIKE, Agreement
from core.round_results import Compared
from core.workshop import Library
from storage import images, masks

Rgb = NDArray[np.uint8]
SIDE: Final = 760
OPACITY: Final = 0.45
COLOURS: Final = {
    "alike": (40, 180, 90),
    "boundary": (245, 160, 30),
    "missed": (230, 40, 50),
    "granularity": (60, 140, 255),
}
"""Of masks that match with 0.9 IoU or more, and of the kinds of disagreement."""


def side_by_side(library: Library, one: Compared) -> tuple[Rgb, Rgb]:
    """Return the photo twice, with either's masks; longest side 760 pixels at most.

    Raises
    ------
    StorageError
        If the photo is missing or damaged.
    """
    with library.engines.reading() as session:
        image = images.get(one.ours, session=session)
        ours, theirs = (masks.of_image(image_id, session=session) for image_id in (one.ours, one.theirs))
    photo = library.working_pixels(image.working_sha256)
    kinds, other_kinds = kinds_of(one.agreement, len(ours)), kinds_of(one.agreement, len(theirs), theirs=True)
    return (
        painted(photo, [decoded(row) for row in ours], kinds),
        painted(photo, [decoded(row) for row in theirs], other_kinds),
    )


def kinds_of(found: Agreement, count: int, *, theirs: bool = False) -> list[str]:
    """Return for each of one's masks how far the other agrees: a key of `COLOURS`."""
    kinds = ["alike"] * count
    for pair in found.pairs:
        if pair.iou < ALIKE:
            kinds[pair.theirs if theirs else pair.ours] = "boundary"
    for said in found.disagreements:
        for place in said.theirs if theirs else said.ours:
            kinds[place] = said.kind
    return kinds


def painted(photo: Rgb, drawn: list[Mask], kinds: list[str]) -> Rgb:
    """Return a photo with masks over it, larger ones below, each with its outline.

    Parameters
    ----------
    photo : ndarray of uint8, shape (H, W, 3)
    drawn : list of ndarray of bool, shape (H, W)
    kinds : list of str
        Keys of `COLOURS`.
    """
    height, width = photo.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    small = [cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) for mask in drawn]
    for place in sorted(range(len(small)), key=lambda place: -cv2.countNonZero(small[place])):
        inside, colour = small[place] > 0, np.array(COLOURS[kinds[place]], np.float32)
        picture[inside] = ((1 - OPACITY) * picture[inside] + OPACITY * colour).astype(np.uint8)
    for mask, kind in zip(small, kinds, strict=True):
        outline, _ = cv2.findContours(np.asarray(mask, np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, outline, -1, COLOURS[kind], 2)
    return picture
