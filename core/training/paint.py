"""What scenes are painted with: pieces of photographs, and patterns in their colours."""

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[Any]
"""Of uint8; OpenCV does not say what it returns."""

Floats = NDArray[Any]
"""Of float32."""

GREY: Final = np.array([0.299, 0.587, 0.114], np.float32)
"""Shares of red, green and blue in lightness."""


def log_uniform(rng: np.random.Generator, least: float, most: float) -> float:
    """Return a number between two, each factor of it as likely as another."""
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))


class Paint:
    """Makes textures, grounds and clutter by chance.

    Parameters
    ----------
    photos : sequence of ndarray of uint8, shape (h, w, 3)
        Without any, all is painted in colours of its own.
    rng : Generator
    """

    def __init__(self, photos: Sequence[Bytes], rng: np.random.Generator) -> None:
        self._photos = photos
        self._rng = rng

    def ground(self, side: int) -> Floats:
        """Return what lies behind everything: one texture, or two with a border between them."""
        rng = self._rng
        image = self.texture(side)
        for _ in range(int(rng.choice([0, 1, 2], p=[0.45, 0.4, 0.15]))):
            other = self.texture(side)
            soft = log_uniform(rng, 0.5, 12)
            share = 1 / (1 + np.exp(-self._field(side) / soft * side / 20))
            image = image + (other - image) * share[..., None].astype(np.float32)
        if rng.random() < 0.3:
            image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(1, 5)) * side / 256)
        return image

    def _field(self, side: int) -> Floats:
        """Return a smooth field that is negative on one side and positive on the other: a horizon, or islands."""
        rng = self._rng
        rows, columns = np.mgrid[:side, :side].astype(np.float32) / side - 0.5
        if rng.random() < 0.6:
            angle = rng.normal(0, 0.25) + (np.pi / 2 if rng.random() < 0.8 else 0)
            plane = np.cos(angle) * columns + np.sin(angle) * rows + rng.uniform(-0.3, 0.3)
            return np.asarray(plane + 0.05 * self.noise(side, 6), np.float32)
        return 0.3 * self.noise(side, int(rng.integers(3, 9)))

    def noise(self, side: int, cells: int) -> Floats:
        coarse = self._rng.normal(size=(cells, cells)).astype(np.float32)
        return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)

    def texture(self, side: int) -> Floats:
        """Return a texture of shape (side, side, 3), 0 to 255: a photo's piece, or painted in a photo's colours."""
        rng = self._rng
        if self._photos and rng.random() < 0.6:
            return self._photo_piece(side)
        low, high = self._two_colours()
        kind = rng.random()
        if kind < 0.5:
            pattern = self._cloud(side)
        elif kind < 0.75:
            pattern = self._stripes(side)
        else:
            pattern = cv2.GaussianBlur(self.noise(side, 4), (0, 0), side / 20) * 0.5 + 0.5
        pattern = pattern.clip(0, 1)[..., None]
        return np.asarray(low + (high - low) * pattern, np.float32)

    def _photo_piece(self, side: int) -> Floats:
        rng = self._rng
        photo = self._photos[int(rng.integers(len(self._photos)))]
        height, width = photo.shape[:2]
        size = int(min(height, width) * log_uniform(rng, 0.25, 1))
        y, x = int(rng.integers(0, height - size + 1)), int(rng.integers(0, width - size + 1))
        piece = photo[y : y + size, x : x + size]
        piece = cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA if size > side else cv2.INTER_CUBIC)
        if rng.random() < 0.5:
            piece = piece[:, ::-1]
        if rng.random() < 0.2:
            piece = np.rot90(piece, int(rng.integers(1, 4)))
        return self.toned(np.ascontiguousarray(piece).astype(np.float32), 0.5)

    def _two_colours(self) -> tuple[Floats, Floats]:
        """Return two colours that stand beside each other in a photo; of one's own without photos."""
        rng = self._rng
        if not self._photos:
            middle = rng.uniform(30, 225, 3)
            return middle.astype(np.float32), (middle + rng.normal(0, 40, 3)).clip(0, 255).astype(np.float32)
        photo = self._photos[int(rng.integers(len(self._photos)))]
        y, x = (int(rng.integers(0, length)) for length in photo.shape[:2])
        near = photo[max(0, y - 25) : y + 25, max(0, x - 25) : x + 25].reshape(-1, 3)
        first, second = near[rng.integers(len(near), size=2)].astype(np.float32)
        return first, second + rng.normal(0, 8, 3).astype(np.float32)

    def _cloud(self, side: int) -> Floats:
        """Return noise whose spectrum falls as 1 / f^s, 0 to 1; natural images have s near 1.2 in amplitude."""
        slope = self._rng.uniform(0.6, 2.0)
        total = np.zeros((side, side), np.float32)
        cells, weight = 4, 1.0
        while cells <= side:
            total += np.float32(weight) * self.noise(side, cells)
            cells, weight = cells * 2, weight * 2.0**-slope
        spread = float(total.std()) or 1.0
        cloud: Floats = total / (4 * spread) + 0.5
        return cloud

    def _stripes(self, side: int) -> Floats:
        rng = self._rng
        rows, columns = np.mgrid[:side, :side].astype(np.float32)
        angle, period = rng.uniform(0, np.pi), side / log_uniform(rng, 4, 40)
        phase = (np.cos(angle) * columns + np.sin(angle) * rows) / period + rng.uniform(0, 1)
        if rng.random() < 0.6:
            phase = phase + 0.4 * self.noise(side, 5)
        wave = np.sin(2 * np.pi * phase)
        if rng.random() < 0.35:
            across = (np.cos(angle + np.pi / 2) * columns + np.sin(angle + np.pi / 2) * rows) / period
            wave = wave * np.sin(2 * np.pi * across)
        stripes: Floats = (np.tanh(wave * rng.uniform(1, 6)) * 0.5 + 0.5).astype(np.float32)
        return stripes

    def clutter(self, image: Floats) -> Floats:
        """Paint a shape, a shadow or a line that is no object."""
        rng = self._rng
        side = image.shape[0]
        cover = np.zeros((side, side), np.uint8)
        centre = rng.uniform(0, side, 2)
        if rng.random() < 0.4:
            points = rng.uniform(0, side, (int(rng.integers(2, 5)), 2)).astype(np.int32)
            cv2.polylines(cover, [points], False, 255, int(rng.integers(1, max(2, side // 30))), cv2.LINE_AA)
        else:
            corners = int(rng.integers(3, 9))
            angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
            radius = side * log_uniform(rng, 0.03, 0.3) * rng.uniform(0.5, 1.2, corners)
            points = (centre + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)).astype(np.int32)
            cv2.fillPoly(cover, [points], 255, cv2.LINE_AA)
        soft = log_uniform(rng, 0.4, 6)
        share = cv2.GaussianBlur(cover, (0, 0), soft).astype(np.float32) / 255
        if rng.random() < 0.4:
            painted = image * np.float32(rng.uniform(0.4, 1.5))
        else:
            painted = self.texture(side)
        return image + (painted - image) * share[..., None] * np.float32(rng.uniform(0.5, 1))

    def toned(self, colours: Floats, chance: float) -> Floats:
        """Change saturation, hue, brightness and contrast: pictures drawn by hand are far brighter than photos."""
        rng = self._rng
        if rng.random() > chance:
            return colours
        grey = (colours @ GREY)[..., None]
        colours = grey + (colours - grey) * np.float32(rng.uniform(0.05, 1.0))
        if rng.random() < 0.4:
            colours = colours[..., rng.permutation(3)]
        gain = rng.uniform(0.45, 1.15) * np.exp(rng.normal(0, 0.08, 3))
        toned: Floats = ((colours - 128) * rng.uniform(0.6, 1.2) + 128) * gain.astype(np.float32) + rng.uniform(-20, 20)
        return toned.astype(np.float32)
