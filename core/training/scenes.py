"""Scenes to learn clicking from: cut-out objects and painted shapes over photographs and paint, with their truth.

What each ingredient is for. Objects of unlike parts on like-coloured ground: a network that sees uniform objects
only learns to flood-fill. Ground and textures from photographs: their statistics are those it will meet. Shadows,
stripes and borders that are no object's: an edge is not always an outline. Random seams, blur, noise and JPEG over
the whole: it must not learn the seam of the paste.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.training.cutouts import Cutout

Bytes = NDArray[Any]
"""Of uint8; OpenCV does not say what it returns."""

Floats = NDArray[Any]
"""Of float32."""

MOST_OBJECTS: Final = 7
_GREY: Final = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture and, for each pixel, which object, part and subpart it shows (0: none).

    Attributes
    ----------
    image : ndarray of uint8, shape (S, S, 3)
    objects, parts, subparts : ndarray of uint8, shape (S, S)
        Parts and subparts are counted within their object.
    """

    image: Bytes
    objects: Bytes
    parts: Bytes
    subparts: Bytes


class SceneMaker:
    """Makes scenes from cut-outs and photos; the same seed makes the same scenes.

    Parameters
    ----------
    cutouts : sequence of Cutout
        May be empty: then all objects are painted shapes.
    photos : sequence of ndarray of uint8, shape (h, w, 3)
        Ground and textures; may be empty.
    """

    def __init__(self, cutouts: Sequence[Cutout], photos: Sequence[Bytes], seed: int) -> None:
        self._cutouts = cutouts
        self._photos = photos
        self._rng = np.random.default_rng(seed)

    def make(self, side: int) -> Scene:
        """Return a scene of `side` x `side` pixels."""
        rng = self._rng
        image = self._ground(side)
        objects, parts, subparts = (np.zeros((side, side), np.uint8) for _ in range(3))
        for _ in range(int(rng.integers(0, 5))):
            image = self._clutter(image)
        count = int(rng.choice([1, 2, 3, 4, 5, MOST_OBJECTS], p=[0.26, 0.24, 0.2, 0.14, 0.1, 0.06]))
        alike = self._cutout() if rng.random() < 0.12 else None
        for number in range(1, count + 1):
            placed = self._placed(alike or self._cutout(), side, alone=count == 1)
            image = self._pasted(image, placed)
            here = placed.alpha > 0.5
            objects[here] = number
            parts[here] = placed.parts[here]
            subparts[here] = placed.subparts[here]
        return Scene(self._photographed(image), objects, parts, subparts)

    # --- ground ---

    def _ground(self, side: int) -> Floats:
        """Return what lies behind everything: one texture, or two with a border between them."""
        rng = self._rng
        image = self._texture(side)
        for _ in range(int(rng.choice([0, 1, 2], p=[0.45, 0.4, 0.15]))):
            other = self._texture(side)
            soft = float(np.exp(rng.uniform(np.log(0.5), np.log(12))))
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
            return np.asarray(plane + 0.05 * self._noise(side, 6), np.float32)
        return 0.3 * self._noise(side, int(rng.integers(3, 9)))

    def _noise(self, side: int, cells: int) -> Floats:
        coarse = self._rng.normal(size=(cells, cells)).astype(np.float32)
        return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)

    def _texture(self, side: int) -> Floats:
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
            pattern = cv2.GaussianBlur(self._noise(side, 4), (0, 0), side / 20) * 0.5 + 0.5
        pattern = pattern.clip(0, 1)[..., None]
        return np.asarray(low + (high - low) * pattern, np.float32)

    def _photo_piece(self, side: int) -> Floats:
        rng = self._rng
        photo = self._photos[int(rng.integers(len(self._photos)))]
        height, width = photo.shape[:2]
        size = int(min(height, width) * np.exp(rng.uniform(np.log(0.25), 0)))
        y, x = int(rng.integers(0, height - size + 1)), int(rng.integers(0, width - size + 1))
        piece = photo[y : y + size, x : x + size]
        piece = cv2.resize(piece, (side, side), interpolation=cv2.INTER_AREA if size > side else cv2.INTER_CUBIC)
        if rng.random() < 0.5:
            piece = piece[:, ::-1]
        if rng.random() < 0.2:
            piece = np.rot90(piece, int(rng.integers(1, 4)))
        return self._toned(np.ascontiguousarray(piece).astype(np.float32), 0.5)

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
            total += np.float32(weight) * self._noise(side, cells)
            cells, weight = cells * 2, weight * 2.0**-slope
        spread = float(total.std()) or 1.0
        cloud: Floats = total / (4 * spread) + 0.5
        return cloud

    def _stripes(self, side: int) -> Floats:
        rng = self._rng
        rows, columns = np.mgrid[:side, :side].astype(np.float32)
        angle, period = rng.uniform(0, np.pi), side / np.exp(rng.uniform(np.log(4), np.log(40)))
        phase = (np.cos(angle) * columns + np.sin(angle) * rows) / period + rng.uniform(0, 1)
        if rng.random() < 0.6:
            phase = phase + 0.4 * self._noise(side, 5)
        wave = np.sin(2 * np.pi * phase)
        if rng.random() < 0.35:
            across = (np.cos(angle + np.pi / 2) * columns + np.sin(angle + np.pi / 2) * rows) / period
            wave = wave * np.sin(2 * np.pi * across)
        stripes: Floats = (np.tanh(wave * rng.uniform(1, 6)) * 0.5 + 0.5).astype(np.float32)
        return stripes

    def _clutter(self, image: Floats) -> Floats:
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
            radius = side * np.exp(rng.uniform(np.log(0.03), np.log(0.3))) * rng.uniform(0.5, 1.2, corners)
            points = (centre + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)).astype(np.int32)
            cv2.fillPoly(cover, [points], 255, cv2.LINE_AA)
        soft = float(np.exp(rng.uniform(np.log(0.4), np.log(6))))
        share = cv2.GaussianBlur(cover, (0, 0), soft).astype(np.float32) / 255
        if rng.random() < 0.4:
            painted = image * np.float32(rng.uniform(0.4, 1.5))
        else:
            painted = self._texture(side)
        return image + (painted - image) * share[..., None] * np.float32(rng.uniform(0.5, 1))

    # --- objects ---

    def _cutout(self) -> Cutout:
        rng = self._rng
        if self._cutouts and rng.random() < 0.85:
            return self._cutouts[int(rng.integers(len(self._cutouts)))]
        return self._painted_shape()

    def _painted_shape(self) -> Cutout:
        """Return a body of one to four overlapping blobs, each a part of its own colour."""
        rng = self._rng
        side = 128
        alpha, parts = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
        colours = np.zeros((side, side, 3), np.float32)
        centre = np.array([64.0, 64.0])
        for number in range(1, int(rng.integers(1, 5)) + 1):
            angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
            radius = np.ones(64)
            for order in range(2, 7):
                radius += rng.normal(0, 0.5 / order**1.3) * np.cos(order * angles + rng.uniform(0, 6.3))
            squash, turn = np.exp(rng.normal(0, 0.5)), rng.uniform(0, np.pi)
            ring = np.stack([np.cos(angles) * squash, np.sin(angles) / squash], 1) * radius.clip(0.2)[:, None]
            ring = ring @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            points = (centre + ring * rng.uniform(14, 34)).clip(2, side - 3)
            blob = np.zeros((side, side), np.uint8)
            cv2.fillPoly(blob, [points.astype(np.int32)], 255, cv2.LINE_AA)
            here = blob > 127
            alpha = np.maximum(alpha, blob)
            parts[here] = number
            colours[here] = self._texture(side)[here]
            centre = points[int(rng.integers(len(points)))]
        return Cutout(colours.clip(0, 255).astype(np.uint8), alpha, parts, parts)

    def _placed(self, cutout: Cutout, side: int, *, alone: bool) -> "_Placed":
        """Turn, scale and flip a cut-out into a frame of the scene's size."""
        rng = self._rng
        height, width = cutout.alpha.shape
        least, most = (0.4, 1.15) if alone and rng.random() < 0.75 else (0.15, 0.85)
        scale = side * np.exp(rng.uniform(np.log(least), np.log(most))) / max(height, width)
        turn = rng.normal(0, 0.3) if rng.random() < 0.7 else rng.uniform(0, 2 * np.pi)
        stretch = np.exp(rng.normal(0, 0.15))
        matrix = scale * np.array([[np.cos(turn) * stretch, -np.sin(turn)], [np.sin(turn), np.cos(turn) / stretch]])
        if rng.random() < 0.5:
            matrix[:, 0] *= -1
        spread = 0.12 if alone and rng.random() < 0.6 else 0.5
        centre = side * (0.5 + rng.uniform(-spread, spread, 2))
        shift = centre - matrix @ np.array([width / 2, height / 2])
        affine = np.concatenate([matrix, shift[:, None]], 1)
        size = (side, side)
        smooth = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        colours = cv2.warpAffine(cutout.colours, affine, size, flags=smooth, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(cutout.alpha, affine, size, flags=smooth).astype(np.float32) / 255
        parts = cv2.warpAffine(cutout.parts, affine, size, flags=cv2.INTER_NEAREST)
        subparts = cv2.warpAffine(cutout.subparts, affine, size, flags=cv2.INTER_NEAREST)
        return _Placed(self._dressed(colours.astype(np.float32), parts, alpha), alpha, parts, subparts)

    def _dressed(self, colours: Floats, parts: Bytes, alpha: Floats) -> Floats:
        """Give an object other looks: its colours toned, textures over it, or other stuff under its own shading."""
        rng = self._rng
        side = colours.shape[0]
        if rng.random() < 0.3:
            shade = cv2.GaussianBlur(colours @ _GREY, (0, 0), 2.0)
            middle = float(shade[alpha > 0.5].mean()) if (alpha > 0.5).any() else 128.0
            shade = (shade / max(middle, 20.0)).clip(0.3, 1.8)[..., None]
            stuff = self._texture(side)
            for part in np.unique(parts[parts > 0])[:4]:
                if rng.random() < 0.6:
                    stuff = np.where((parts == part)[..., None], self._texture(side), stuff)
            keep = np.float32(rng.uniform(0, 0.3))
            colours = (stuff * shade) * (1 - keep) + colours * keep
        else:
            colours = self._toned(colours, 0.9)
            if rng.random() < 0.7:
                grain = self._texture(side) @ _GREY
                grain = (grain - grain.mean()) * np.float32(rng.uniform(0.1, 0.7))
                colours = colours + grain[..., None]
        if rng.random() < 0.5:
            light = self._noise(side, 3)[..., None] * np.float32(rng.uniform(0.05, 0.25))
            colours = colours * (1 + light)
        return colours.astype(np.float32)

    def _toned(self, colours: Floats, chance: float) -> Floats:
        """Change saturation, hue, brightness and contrast: pictures drawn by hand are far brighter than photos."""
        rng = self._rng
        if rng.random() > chance:
            return colours
        grey = (colours @ _GREY)[..., None]
        colours = grey + (colours - grey) * np.float32(rng.uniform(0.05, 1.0))
        if rng.random() < 0.4:
            colours = colours[..., rng.permutation(3)]
        gain = rng.uniform(0.45, 1.15) * np.exp(rng.normal(0, 0.08, 3))
        toned: Floats = ((colours - 128) * rng.uniform(0.6, 1.2) + 128) * gain.astype(np.float32) + rng.uniform(-20, 20)
        return toned.astype(np.float32)

    def _pasted(self, image: Floats, placed: "_Placed") -> Floats:
        rng = self._rng
        side = image.shape[0]
        if rng.random() < 0.35:
            soft = float(np.exp(rng.uniform(np.log(1), np.log(12)))) * side / 256
            shadow = cv2.GaussianBlur(placed.alpha, (0, 0), soft)
            moved = np.array([[1, 0, rng.normal(0, 0.04) * side], [0, 1, abs(rng.normal(0, 0.05)) * side]])
            shadow = cv2.warpAffine(shadow, moved, (side, side))
            image = image * (1 - shadow[..., None] * np.float32(rng.uniform(0.2, 0.7)))
        colours, alpha = placed.colours, placed.alpha
        if rng.random() < 0.5:
            # Match the surroundings: an object that differs in mean colour only is found too easily.
            around = cv2.dilate(alpha, np.ones((15, 15), np.uint8)) - alpha
            weight, own = float(around.sum()), float(alpha.sum())
            if weight > 50 and own > 50:
                outer = (image * around[..., None]).sum((0, 1)) / weight
                inner = (colours * alpha[..., None]).sum((0, 1)) / own
                colours = colours + (outer - inner) * np.float32(rng.uniform(0, 0.8))
        seam = rng.random()
        if seam < 0.5:
            alpha = cv2.GaussianBlur(alpha, (0, 0), float(rng.uniform(0.4, 1.3)))
        elif seam < 0.65:
            alpha = (alpha > 0.5).astype(np.float32)
        return np.asarray(image + (colours - image) * alpha[..., None], np.float32)

    # --- the camera ---

    def _photographed(self, image: Floats) -> Bytes:
        rng = self._rng
        side = image.shape[0]
        if rng.random() < 0.4:
            image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.6)))
        if rng.random() < 0.5:
            image = image * (1 + np.float32(rng.uniform(0.05, 0.2)) * self._noise(side, 2)[..., None])
        image = image * np.exp(rng.normal(0, 0.06, 3)).astype(np.float32) * np.float32(rng.uniform(0.75, 1.2))
        if rng.random() < 0.06:
            image = np.repeat((image @ _GREY)[..., None], 3, -1)
        if rng.random() < 0.7:
            image = image + rng.normal(0, np.exp(rng.uniform(0, np.log(12))), image.shape).astype(np.float32)
        pixels = image.clip(0, 255).astype(np.uint8)
        if rng.random() < 0.6:
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))]
            pixels = np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR), np.uint8)
        return np.ascontiguousarray(pixels)


@dataclass(frozen=True, slots=True)
class _Placed:
    colours: Floats
    alpha: Floats
    parts: Any
    subparts: Any
