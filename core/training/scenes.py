"""Scenes to learn clicking from: cut-out objects and painted shapes over photographs and paint, with their truth.

What each ingredient is for. Objects of unlike parts on like-coloured ground: a network that sees uniform objects
only learns to flood-fill. Ground and textures from photographs: their statistics are those it will meet. Shadows,
stripes and borders that are no object's: an edge is not always an outline. Random seams, blur, noise and JPEG over
the whole: it must not learn the seam of the paste.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from core.training.cutouts import Cutout
from core.training.materials import Materials
from core.training.paint import GREY, Bytes, Floats, Paint, log_uniform

KNOWN_SHARE: Final = 0.2
"""Of scenes that are photos with known objects, where there are such photos."""
MOST_OBJECTS: Final = 14
CROWD_SHARE: Final = 0.12
FEW_SHARES: Final = (0.5, 0.2, 0.12, 0.1, 0.08)
"""Of scenes with one to five objects."""


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
    """Makes scenes of materials; the same seed makes the same scenes."""

    def __init__(self, materials: Materials, seed: int) -> None:
        self._cutouts = materials.cutouts
        self._known = materials.known
        self._rng = np.random.default_rng(seed)
        self._paint = Paint(materials.photos, self._rng)

    def make(self, side: int) -> Scene:
        """Return a scene of `side` x `side` pixels."""
        rng = self._rng
        if self._known and rng.random() < KNOWN_SHARE:
            return self._known_scene(side)
        image = self._paint.ground(side)
        objects, parts, subparts = (np.zeros((side, side), np.uint8) for _ in range(3))
        for _ in range(int(rng.integers(0, 5))):
            image = self._paint.clutter(image)
        crowd = rng.random() < CROWD_SHARE
        count = int(rng.integers(4, MOST_OBJECTS + 1)) if crowd else int(rng.choice([1, 2, 3, 4, 5], p=FEW_SHARES))
        alike = self._cutout() if rng.random() < (0.35 if crowd else 0.1) else None
        for number in range(1, count + 1):
            least, most = self._sizes(alone=count == 1, crowd=crowd)
            centred = count == 1 and rng.random() < 0.6
            placed = self._placed(alike or self._cutout(), side, log_uniform(rng, least, most), centred=centred)
            image = self._pasted(image, placed)
            here = placed.alpha > 0.5
            objects[here] = number
            parts[here] = placed.parts[here]
            subparts[here] = placed.subparts[here]
        return Scene(self._photographed(image), objects, parts, subparts)

    def _known_scene(self, side: int) -> Scene:
        """Return a square of a photo whose objects are known, of other colours or a negative at times."""
        rng = self._rng
        known = self._known[int(rng.integers(len(self._known)))]
        height, width = known.objects.shape
        size = max(1, int(min(height, width) * log_uniform(rng, 0.35, 1)))
        y, x = int(rng.integers(0, height - size + 1)), int(rng.integers(0, width - size + 1))
        image: Bytes = known.image[y : y + size, x : x + size]
        objects = known.objects[y : y + size, x : x + size]
        image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if size > side else cv2.INTER_LINEAR)
        objects = np.asarray(cv2.resize(objects, (side, side), interpolation=cv2.INTER_NEAREST), np.uint8)
        if rng.random() < 0.2:
            image = image[..., rng.permutation(3)]
        if rng.random() < 0.2:
            image = 255 - image
        one = np.zeros_like(objects)
        return Scene(np.ascontiguousarray(image), objects, one, one)

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
            colours[here] = self._paint.texture(side)[here]
            centre = points[int(rng.integers(len(points)))]
        return Cutout(colours.clip(0, 255).astype(np.uint8), alpha, parts, parts)

    def _sizes(self, *, alone: bool, crowd: bool) -> tuple[float, float]:
        """Return between which shares of the scene's side an object's longer side lies."""
        if crowd:
            return 0.05, 0.35
        if alone and self._rng.random() < 0.75:
            return 0.4, 1.15
        return 0.12, 0.85

    def _placed(self, cutout: Cutout, side: int, share: float, *, centred: bool) -> "_Placed":
        """Turn, scale and flip a cut-out into a frame of the scene's size, of which it takes a share."""
        rng = self._rng
        height, width = cutout.alpha.shape
        scale = side * share / max(height, width)
        turn = rng.normal(0, 0.3) if rng.random() < 0.7 else rng.uniform(0, 2 * np.pi)
        stretch = np.exp(rng.normal(0, 0.15))
        matrix = scale * np.array([[np.cos(turn) * stretch, -np.sin(turn)], [np.sin(turn), np.cos(turn) / stretch]])
        if rng.random() < 0.5:
            matrix[:, 0] *= -1
        spread = 0.12 if centred else 0.5
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
            shade = cv2.GaussianBlur(colours @ GREY, (0, 0), 2.0)
            middle = float(shade[alpha > 0.5].mean()) if (alpha > 0.5).any() else 128.0
            shade = (shade / max(middle, 20.0)).clip(0.3, 1.8)[..., None]
            stuff = self._paint.texture(side)
            for part in np.unique(parts[parts > 0])[:4]:
                if rng.random() < 0.6:
                    stuff = np.where((parts == part)[..., None], self._paint.texture(side), stuff)
            keep = np.float32(rng.uniform(0, 0.3))
            colours = (stuff * shade) * (1 - keep) + colours * keep
        else:
            colours = self._paint.toned(colours, 0.9)
            if rng.random() < 0.7:
                grain = self._paint.texture(side) @ GREY
                grain = (grain - grain.mean()) * np.float32(rng.uniform(0.1, 0.7))
                colours = colours + grain[..., None]
        if rng.random() < 0.5:
            light = self._paint.noise(side, 3)[..., None] * np.float32(rng.uniform(0.05, 0.25))
            colours = colours * (1 + light)
        return colours.astype(np.float32)

    def _pasted(self, image: Floats, placed: "_Placed") -> Floats:
        rng = self._rng
        side = image.shape[0]
        if rng.random() < 0.35:
            soft = log_uniform(rng, 1, 12) * side / 256
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

    def _photographed(self, image: Floats) -> Bytes:
        rng = self._rng
        side = image.shape[0]
        if rng.random() < 0.4:
            image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.6)))
        if rng.random() < 0.5:
            image = image * (1 + np.float32(rng.uniform(0.05, 0.2)) * self._paint.noise(side, 2)[..., None])
        image = image * np.exp(rng.normal(0, 0.06, 3)).astype(np.float32) * np.float32(rng.uniform(0.75, 1.2))
        if rng.random() < 0.06:
            image = np.repeat((image @ GREY)[..., None], 3, -1)
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
