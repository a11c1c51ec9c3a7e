"""The embedded detector: the cascades of classifiers that OpenCV 4 ships (Viola and Jones, 2001).

They need no weights of their own and no network, and they are weak: docs/privacy.md says how much they find.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.privacy.regions import Box, Kind, Region, RgbImage, iou

Grey = NDArray[np.uint8]
SAME: Final = 0.4
"""From this IoU on two boxes of a kind are one thing; the one that more windows agree on stays."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How one cascade looks at a photo.

    `step` is the ratio of the sizes it looks at, `agreeing` how many windows must agree, `least` the smallest width in
    pixels, `share` the smallest width as a part of the longer side: below it a large photo would take seconds.
    """

    kind: Kind
    file: str
    step: float
    agreeing: int
    least: int
    share: float
    evened: bool
    """Whether contrast is evened out first."""
    mirrored: bool = False
    """Whether the mirrored photo is looked at too: the profile cascade knows faces that look to one side."""


LOOKS: Final = (
    _Look("face", "haarcascade_frontalface_alt2.xml", 1.1, 1, 24, 1 / 50, evened=True),
    _Look("face", "haarcascade_profileface.xml", 1.2, 2, 24, 1 / 30, evened=True, mirrored=True),
    _Look("plate", "haarcascade_russian_plate_number.xml", 1.05, 1, 30, 1 / 50, evened=False),
)
"""Chosen on one half of the measured photos alone; the other half is what docs/privacy.md reports."""
WITNESSES: Final = (
    "haarcascade_frontalface_default.xml",
    "haarcascade_frontalface_alt.xml",
    "haarcascade_profileface.xml",
)
"""Of these, one at least must see a face, too, when it is looked at closely: that halves the false alarms."""
_CLOSE: Final = 96
"""Longer side of such a close-up, in pixels."""
_AROUND: Final = 0.3
"""Of a face's width, shown around it in a close-up."""


class Cascades:
    """Frontal faces, faces from both sides, and number plates of the long European shape.

    Faces are looked for generously, and each is then looked at closely by other cascades.
    """

    name = "OpenCV cascades 1"

    def __init__(self) -> None:
        # A classifier holds the photo it looks at, so each thread has its own.
        self._own = threading.local()

    def find(self, pixels: RgbImage) -> list[Region]:
        """Return faces and plates of an RGB photo, shape (H, W, 3); the score is how many windows agreed."""
        grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)
        evened = np.asarray(cv2.createCLAHE(2.0, (8, 8)).apply(grey), np.uint8)
        found: list[Region] = []
        for look in LOOKS:
            found += _seen(look, self._cascade(look.file), evened if look.evened else grey)
        return [one for one in _once(found) if one.kind != "face" or self._is_confirmed(grey, one.box)]

    def _is_confirmed(self, grey: Grey, box: Box) -> bool:
        """Return whether one of the witnesses sees a face in the close-up of a box, or in its mirror image."""
        margin = _AROUND * (box[2] - box[0])
        x0, y0 = (max(0, round(value - margin)) for value in box[:2])
        x1, y1 = (round(value + margin) for value in box[2:])
        part = grey[y0:y1, x0:x1]
        scale = _CLOSE / max(part.shape)
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        close = cv2.resize(part, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
        least = round(_CLOSE * 3 / 8)
        return any(
            len(self._cascade(file).detectMultiScale(view, 1.05, 1, minSize=(least, least))) > 0
            for file in WITNESSES
            for view in (close, np.ascontiguousarray(close[:, ::-1]))
        )

    def _cascade(self, file: str) -> cv2.CascadeClassifier:
        held: dict[str, cv2.CascadeClassifier] = self._own.__dict__
        if file not in held:
            held[file] = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / file))
        return held[file]


def _seen(look: _Look, cascade: cv2.CascadeClassifier, grey: Grey) -> list[Region]:
    found = [Region(look.kind, box, score) for box, score in _boxes(look, cascade, grey)]
    if look.mirrored:
        width = grey.shape[1]
        for (x0, y0, x1, y1), score in _boxes(look, cascade, np.ascontiguousarray(grey[:, ::-1])):
            found.append(Region(look.kind, (width - x1, y0, width - x0, y1), score))
    return found


def _boxes(look: _Look, cascade: cv2.CascadeClassifier, grey: Grey) -> list[tuple[Box, float]]:
    width = max(look.least, round(max(grey.shape) * look.share))
    # A plate is about three times as wide as high; OpenCV only needs the bound not to forbid that.
    height = width if look.kind == "face" else width // 3
    boxes, agreeing = cascade.detectMultiScale2(grey, look.step, look.agreeing, minSize=(width, height))
    return [
        ((float(x), float(y), float(x + wide), float(y + high)), float(count))
        for (x, y, wide, high), count in zip(boxes, agreeing, strict=True)
    ]


def _once(found: list[Region]) -> list[Region]:
    """Return the regions without those that another cascade saw more surely."""
    kept: list[Region] = []
    for region in sorted(found, key=lambda one: (-one.score, one.box)):
        if not any(one.kind == region.kind and iou(one.box, region.box) >= SAME for one in kept):
            kept.append(region)
    return kept
