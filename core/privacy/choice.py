"""Which detector searches photos: the embedded one, or the one that the environment names."""

import math
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

from core.errors import InvalidImage, ModelUnavailable
from core.privacy.cascades import Cascades
from core.privacy.regions import KINDS, Detector, Region, RgbImage
from core.settings import from_environment


def detector() -> Detector:
    """Return the detector that searches photos.

    Raises
    ------
    ModelUnavailable
        If MASKSMITH_DETECTOR names one that cannot be loaded: no photo is taken in unsearched then.
    """
    return _detector(from_environment().detector)


@dataclass(frozen=True, slots=True)
class ByName:
    """The detector of a name, made wherever it is used first: by its name it reaches every worker of a crew."""

    maker: str | None

    @property
    def name(self) -> str:
        """What it is, with its version."""
        return _detector(self.maker).name

    def find(self, pixels: RgbImage) -> list[Region]:
        """Return what is on a working image."""
        return _detector(self.maker).find(pixels)


def by_name() -> ByName:
    """Return the detector that searches photos, as it can be given to a crew.

    Raises
    ------
    ModelUnavailable
        If MASKSMITH_DETECTOR names one that cannot be loaded.
    """
    chosen = ByName(from_environment().detector)
    _detector(chosen.maker)
    return chosen


@lru_cache(maxsize=4)
def _detector(name: str | None) -> Detector:
    """Return the detector that `module:callable` makes, or the cascades."""
    if name is None:
        return Cascades()
    module, _, maker = name.partition(":")
    try:
        made: Detector = getattr(import_module(module), maker)()
        if not callable(made.find) or not isinstance(made.name, str):
            raise TypeError("it has no find and name")
    except Exception as error:  # what is loaded here is somebody else's, and may fail in any way
        raise ModelUnavailable(f"the detector {name} must load as module:callable, but does not: {error}") from error
    return made


def found_by(searching: Detector, pixels: RgbImage) -> list[Region]:
    """Return what a detector finds on a photo, RGB, shape (H, W, 3), cut to the photo.

    Raises
    ------
    InvalidImage
        If it fails or answers with what is no region: the photo counts as not searched then.
    """
    height, width = pixels.shape[:2]
    try:
        found = [_cut(region, width, height) for region in searching.find(pixels)]
    except Exception as error:  # it may be somebody else's, and fail in any way
        raise InvalidImage(f"a photo must be searched for faces, but {searching.name} failed: {error}") from error
    return [region for region in found if region is not None]


def _cut(region: Region, width: int, height: int) -> Region | None:
    """Return a region without what lies outside the photo, None if nothing is left."""
    values = (*region.box, region.score)
    if region.kind not in KINDS or not all(math.isfinite(value) for value in values):
        raise ValueError(f"it found {region}")
    x0, y0, x1, y1 = (float(value) for value in region.box)
    x0, y0, x1, y1 = max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)
    return Region(region.kind, (x0, y0, x1, y1), float(region.score)) if x0 < x1 and y0 < y1 else None
