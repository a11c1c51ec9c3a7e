"""What scenes are made of: cut-outs from folders, photos that are free to use, and photos with known objects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from core.errors import InvalidInput
from core.training.cutouts import SUFFIXES, Cutout, read_cutouts
from core.training.known import KnownPhoto

PHOTO_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp")
PHOTO_SIDE: Final = 768
OWN_PHOTOS: Final = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "retina.jpg",
    "rocket.jpg",
)
"""scikit-image's, each CC0, in the public domain or without known restrictions, as its documentation says."""


@dataclass(frozen=True, slots=True)
class Materials:
    """What scenes are made of.

    Attributes
    ----------
    cutouts : sequence of Cutout
        Without any, all objects are painted shapes.
    photos : sequence of ndarray of uint8, shape (h, w, 3)
        Ground and textures; without any, these are painted.
    known : sequence of KnownPhoto
        Photos to learn from as they are.
    """

    cutouts: Sequence[Cutout] = ()
    photos: Sequence[NDArray[np.uint8]] = ()
    known: Sequence[KnownPhoto] = ()


def cutouts_in(folders: Iterable[Path]) -> list[Cutout]:
    """Return the usable cut-outs below some folders, in order of path.

    Raises
    ------
    InvalidInput
        If a folder does not exist.
    """
    return list(read_cutouts(_files(folders, SUFFIXES)))


def photos_in(folders: Iterable[Path]) -> list[NDArray[np.uint8]]:
    """Return scikit-image's free photos and those below some folders, longest side at most 768 px.

    Raises
    ------
    InvalidInput
        If a folder does not exist, or a photo cannot be read.
    """
    own = Path(skimage.data.__file__).parent
    paths = [own / name for name in OWN_PHOTOS if (own / name).exists()] + _files(folders, PHOTO_SUFFIXES)
    return [_photo(path) for path in paths]


def _files(folders: Iterable[Path], suffixes: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise InvalidInput(f"a folder of pictures must exist, got {str(folder)!r}")
        found += sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes)
    return found


def _photo(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as picture:
            small = picture.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        raise InvalidInput(f"a photo must be readable, got {path.name}: {error}") from error
    small.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.BOX)
    return np.asarray(small)
