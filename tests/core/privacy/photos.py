"""Photos for tests of privacy: one with a face, and a detector that knows where marks are."""

from io import BytesIO

import numpy as np
import skimage.data
from PIL import Image

from core.privacy.regions import Region, RgbImage
from tests.conftest import HEIGHT, WIDTH

FACE = (177.0, 67.0, 272.0, 162.0)
"""Where the astronaut's face is."""
MARK = (20, 30, 40, 50)
"""x0, y0, x1, y1 of the mark on a made photo."""
GPS = b"52 deg 31' 12 N"
COMMENT = b"taken at home by Jane"


def astronaut(**options: object) -> bytes:
    """Return the astronaut as a file."""
    return saved(skimage.data.astronaut(), **options)


def marked(number: int = 1) -> bytes:
    """Return a PNG with stripes of two pinks in `MARK`; each number is another photo."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90 + number, np.uint8)
    x0, y0, x1, y1 = MARK
    pixels[y0:y1, x0:x1] = (190, 0, 190)
    pixels[y0:y1, x0:x1:3] = pixels[y0:y1, x1 - 1] = (255, 110, 255)
    return saved(pixels, "PNG")


def saved(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    """Return RGB pixels as a file."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def with_notes(pixels: np.ndarray) -> bytes:
    """Return a JPEG that says in every way JPEG has where it was taken, and by whom."""
    exif = Image.Exif()
    exif[0x010F], exif[0x013B] = "Camera of Jane", "Jane"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0), 29: GPS.decode()})
    xmp = b"<x:xmpmeta>" + GPS + b"</x:xmpmeta>"
    return saved(pixels, "JPEG", quality=95, exif=exif, xmp=xmp, comment=COMMENT, icc_profile=b"profile of Jane")


class Marks:
    """Finds the made mark as a face, by its colour."""

    def __init__(self, name: str = "marks 1") -> None:
        self.name = name

    def find(self, pixels: RgbImage) -> list[Region]:
        rows, columns = np.nonzero((pixels[..., 0] > 180) & (pixels[..., 1] < 120) & (pixels[..., 2] > 180))
        if not len(rows):
            return []
        box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        return [Region("face", box)]


def marks() -> Marks:
    """Return the detector, as MASKSMITH_DETECTOR names it."""
    return Marks()


def sharpness(pixels: np.ndarray, box: tuple[float, ...] = MARK) -> float:
    """Return how much neighbouring pixels differ in a box."""
    x0, y0, x1, y1 = (int(value) for value in box)
    part = pixels[y0:y1, x0:x1].astype(float)
    return float(np.abs(np.diff(part, axis=1)).mean())
