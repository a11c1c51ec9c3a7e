"""The photos a new library starts with: scikit-image's own, those that are free to use."""

from pathlib import Path
from typing import Final

import skimage.data

from core.importing import ImportReport, import_paths
from storage.engine import Engines
from storage.files import FileStore

NAMES: Final = (
    "coffee.png",
    "chelsea.png",
    "astronaut.png",
    "rocket.jpg",
    "coins.png",
    "camera.png",
    "retina.jpg",
    "ihc.png",
    "hubble_deep_field.jpg",
    "cell.png",
)
"""Each is CC0, in the public domain or without known restrictions, as scikit-image's documentation of
its data says. motorcycle_left.png names no licence there, so it is left out."""


def import_samples(*, engines: Engines, files: FileStore, project_id: int) -> ImportReport:
    """Put the sample photos into a project. Those that are there already stay one image.

    They are not blurred: everybody has them, and who tries the app clicks on the astronaut first.
    """
    folder = Path(skimage.data.__file__).parent
    paths = [folder / name for name in NAMES if (folder / name).exists()]
    return import_paths(paths, engines=engines, files=files, project_id=project_id, blur=False)
