"""A library of as many masks as are wanted, of realistic shape and size, without a photo for each."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np

from benchmarks.photos import write_photos
from core import masks
from core.importing import import_paths
from core.masks import Mask, Rle
from core.settings import Settings
from core.workshop import Library, open_library
from storage import bulk, images, settings_store, tallies
from storage.rows import NewImage, NewMask, Times

T = TypeVar("T")
HEIGHT, WIDTH = 1000, 1500
PHOTOS: Final = 8
"""Real photos; every image of the library is one of them."""
SCENES: Final = 40
"""Different sets of masks: images take turns with them."""
BLOCK: Final = 5_000


def open_crowd(data: Path, count: int, *, per_image: int) -> Library:
    """Return a library of `count` masks, `per_image` on each image; masks are blobs, their sizes those of SA-1B."""
    library = open_library(Settings(data=data, database_url=f"sqlite:///{data / 'masksmith.db'}"), samples=False)
    with library.engines.writing() as session:
        settings_store.put("samples", {"done": True}, session=session)
    photos = write_photos(data / "photos", PHOTOS)
    import_paths(photos, engines=library.engines, files=library.files, project_id=library.project_id, blur=False)
    grow(library, count, per_image=per_image)
    return library


def grow(library: Library, count: int, *, per_image: int) -> None:
    """Add images and masks to a crowd until it has `count` masks."""
    scenes = [[_described(blob) for blob in _scene(per_image, seed)] for seed in range(SCENES)]
    with library.engines.reading() as session:
        there = tallies.masks_of(library.project_id, session=session)
    image_ids = _images(library, -(-count // per_image))
    places = ((image, n) for image in enumerate(image_ids) for n in range(per_image))
    rng = np.random.default_rng(there)
    for block in _blocks(itertools.islice(places, there, count)):
        new = [
            _mask(library, image_id, number, place, scenes[number % SCENES][place], rng)
            for (number, image_id), place in block
        ]
        with library.engines.writing() as session:
            bulk.add_masks(new, session=session)


def _images(library: Library, count: int) -> list[int]:
    """Put images in until there are so many: copies of the photos under other hashes of their originals."""
    with library.engines.reading() as session:
        there = images.page(library.project_id, session=session, limit=PHOTOS)
        total = images.count(library.project_id, session=session)
        ids = [row.id for row in images.page(library.project_id, session=session, limit=total)][:count]
    copies = (
        NewImage(
            library.project_id,
            f"image-{number:06}.jpg",
            f"{number:064x}",
            row.working_sha256,
            row.thumb_sha256,
            row.width,
            row.height,
            row.original_width,
            row.original_height,
            row.original_format,
            row.original_bytes,
        )
        for number, row in zip(range(len(ids), count), itertools.cycle(there), strict=False)
    )
    for block in _blocks(copies):
        with library.engines.writing() as session:
            ids += bulk.add_images(block, session=session)
    return ids


def _scene(count: int, seed: int) -> Iterator[Mask]:
    """Yield blobs with wavy outlines: 30 % below a hundredth of the image, 25 % above a tenth, as in SA-1B."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    for _ in range(count):
        low, high = [(0.0005, 0.01), (0.01, 0.1), (0.1, 0.3)][rng.choice(3, p=[0.3, 0.45, 0.25])]
        radius = np.sqrt(np.exp(rng.uniform(np.log(low), np.log(high))) * HEIGHT * WIDTH / np.pi)
        waves = sum(rng.normal(0, 0.12 / k) * np.cos(k * angles + rng.uniform(0, 6)) for k in range(2, 9))
        x, y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        reach = radius * (1 + waves)
        corners = np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], axis=1)
        yield cv2.fillPoly(np.zeros((HEIGHT, WIDTH), np.uint8), [corners.round().astype(np.int32)], 1) > 0


def _described(mask: Mask) -> tuple[Rle, int, tuple[int, int, int, int]]:
    rle = masks.encode(mask)
    return rle, masks.area(rle), masks.bbox(rle)


def _mask(
    library: Library,
    image_id: int,
    number: int,
    place: int,
    blob: tuple[Rle, int, tuple[int, int, int, int]],
    rng: np.random.Generator,
) -> NewMask:
    rle, area, bbox = blob
    thinking, prompting = (int(value) for value in rng.exponential(4000, 2))
    return NewMask(
        key=f"{number}-{place}",
        image_id=image_id,
        person_id=library.person_id,
        object_key=f"{number}-{place}",
        origin="assisted",
        height=HEIGHT,
        width=WIDTH,
        counts=rle["counts"],
        area=area,
        bbox=bbox,
        predicted_iou=float(rng.beta(12, 2)),
        stability_score=float(rng.beta(20, 2)),
        candidate_rank=int(rng.integers(0, 3)),
        times=Times(waiting_ms=500, thinking_ms=thinking, prompting_ms=prompting),
    )


def _blocks(values: Iterator[T]) -> Iterator[list[T]]:
    while block := list(itertools.islice(values, BLOCK)):
        yield block
