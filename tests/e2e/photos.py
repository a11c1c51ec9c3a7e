"""Photos of a test's own, put into the library of a running app."""

import io
import zlib

import httpx
import numpy as np
from PIL import Image

from benchmarks.app_process import AppProcess
from core.importing import import_bytes
from core.workshop import Library

DISK = (200, 150, 60)
"""x, y and radius of the bright disk."""
SHAPE = (300, 400)


def disk_photo(name: str) -> bytes:
    """Return a PNG of a bright disk on dull noise; each name is another photo."""
    x, y, radius = DISK
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    colours = np.random.default_rng(zlib.crc32(name.encode())).integers(40, 80, (*SHAPE, 3), np.uint8)
    colours[(columns - x) ** 2 + (rows - y) ** 2 < radius**2] = (230, 170, 40)
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, "PNG")
    return buffer.getvalue()


def put_in(app: AppProcess, library: Library, name: str) -> int:
    """Import a photo beside the running app and return its id there."""
    upload = [(name, disk_photo(name))]
    import_bytes(upload, engines=library.engines, files=library.files, project_id=library.project_id)
    listed = httpx.get(f"{app.url}/api/images", params={"limit": 500}).json()["images"]
    return next(int(image["id"]) for image in listed if image["name"] == name)
