"""Photos to measure on: scikit-image's own at the size of working images, and as many variants as are needed."""

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageOps

from core.importing import import_paths
from core.pictures import WORKING_SIDE
from core.samples import NAMES
from core.settings import Settings
from core.workshop import open_library
from storage import settings_store


def write_photos(folder: Path, count: int) -> list[Path]:
    """Write `count` different photos of 1500 x 1000 pixels as JPEG and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(skimage.data.__file__).parent
    rng = np.random.default_rng(0)
    size = (WORKING_SIDE, WORKING_SIDE * 2 // 3)
    paths = []
    for number in range(count):
        with Image.open(source / NAMES[number % len(NAMES)]) as opened:
            photo = ImageOps.fit(opened.convert("RGB"), size, Image.Resampling.BICUBIC)
        if number >= len(NAMES):
            x, y = (int(value) for value in rng.integers(0, 300, 2))
            photo = ImageOps.mirror(photo).crop((x, y, x + 1200, y + 700)).resize(size)
        path = folder / f"photo-{number:04}.jpg"
        photo.save(path, quality=92)
        paths.append(path)
    return paths


def fill_library(data: Path, count: int) -> None:
    """Make a library of `count` photos, and no others, in the data folder."""

    settings = Settings(data=data, database_url=f"sqlite:///{data / 'masksmith.db'}")
    library = open_library(settings, samples=False)
    with library.engines.writing() as session:
        settings_store.put("samples", {"done": True}, session=session)
    photos = write_photos(data / "photos", count)
    # The search for faces has a benchmark of its own.
    import_paths(photos, engines=library.engines, files=library.files, project_id=library.project_id, blur=False)
    library.close()
