"""Photos of a peculiar kind of object, made by chance: round targets of rings in loud colours, on patchy ground.

A model that was never told takes a ring, or some rings; who annotates means the whole.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 480, 640
OBJECTS: Final = 4


@dataclass(frozen=True, slots=True)
class TargetPhoto:
    """A photo, shape (H, W, 3) of uint8, and one mask for each of its objects, shape (H, W) of bool."""

    image: NDArray[np.uint8]
    masks: tuple[NDArray[np.bool_], ...]


def target_photo(seed: int) -> TargetPhoto:
    """Return the photo of a seed; no two objects overlap."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(30, 226, (4, 3)).astype(np.float32)
    image = _ground(rng)
    taken = np.zeros((HEIGHT, WIDTH), bool)
    masks: list[NDArray[np.bool_]] = []
    while len(masks) < OBJECTS:
        rings, mask = _target(rng)
        if (mask & taken).any():
            continue
        taken |= cv2.dilate(mask.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
        order = rng.permutation(len(palette))
        for ring in range(1, int(rings.max()) + 1):
            image[rings == ring] = palette[order[ring % len(palette)]]
        masks.append(mask)
    photo = cv2.GaussianBlur(image, (0, 0), 1.0) + rng.normal(0, 6, image.shape)
    return TargetPhoto(photo.clip(0, 255).astype(np.uint8), tuple(masks))


def _ground(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return patches of three dull colours, as large as rings are wide and larger."""
    field = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 18)
    colours = rng.uniform(70, 180) + rng.normal(0, 14, (3, 3))
    return np.asarray(colours[np.digitize(field, np.quantile(field, [0.33, 0.67]))], np.float32)


def _target(rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the number of each pixel's ring, 0 outside, and the whole."""
    radius = int(rng.integers(34, 70))
    centre = (int(rng.integers(radius, WIDTH - radius)), int(rng.integers(radius, HEIGHT - radius)))
    squash, turn = float(rng.uniform(0.7, 1)), float(rng.uniform(0, 180))
    rings = np.zeros((HEIGHT, WIDTH), np.uint8)
    count = int(rng.integers(3, 6))
    for ring in range(count):
        size = radius * (count - ring) / count
        cv2.ellipse(rings, centre, (round(size), round(size * squash)), turn, 0, 360, ring + 1, -1)
    return rings, rings > 0
