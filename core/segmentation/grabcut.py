"""The segmenter without weights: GrabCut on a few windows of the photo, sharpened to full size.

Where a learned model knows what objects look like, this one only knows colour: it separates what is
coloured like the clicked surroundings from what is coloured like the rest (Rother, Kolmogorov and Blake,
"GrabCut", SIGGRAPH 2004, as in OpenCV). It is the app's baseline, and its fallback without a model.

A first click gives one cut in each of three windows around it (the whole photo, 0.6 and 0.3 of it), so
that small objects are cut at a finer grain and the three answers differ in size. Further clicks are cut anew
from all points in the whole photo, which recovers from a bad start, then from the chosen candidate and in a
narrow window, for those who mean something smaller.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np

from core.segmentation.clicked import clicked_parts, pinned
from core.segmentation.graph_cut import divided
from core.segmentation.guided import GuidedMask
from core.segmentation.protocol import (
    Candidate,
    Embedding,
    Level,
    Mask,
    Prompt,
    RgbImage,
    coarse_size,
    digest,
    levels_by_area,
)
from core.segmentation.specks import without_specks
from core.segmentation.starts import Scene, Start

VERSION: Final = "grabcut-1"
MID_SIDE: Final = 384
MID_SHORT_SIDE: Final = 64
TRUNCATED: Final = 2.0
"""How fast a candidate's score falls with the share of its window's border that it reaches."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The answer to one start: its mask, and how well that is set off from what surrounds it.

    `truncated` is the share of the window's border within the photo that the mask reaches: there it was cut
    off by the window, not by an edge.
    """

    start: Start
    guided: GuidedMask
    contrast: float
    truncated: float


class GrabCutSegmenter:
    """Answers prompts by colour alone; see the module's description. Safe to call from many threads."""

    name = "grabcut"
    title = "GrabCut (no model)"
    encoder_key = digest(VERSION)
    content_hash = digest(VERSION, "decode-2")
    keeps_embeddings = False
    device = "cpu"

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=3, thread_name_prefix="grabcut")

    def encode(self, image: RgbImage) -> Embedding:
        """Return the photo itself and a copy of 384 px, with a shorter side of at least 64 px where it has so many.

        It takes a few milliseconds, so it is never kept on disk.
        """
        height, width = image.shape[:2]
        scale = min(1.0, max(MID_SIDE / max(height, width), MID_SHORT_SIDE / min(height, width)))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        mid = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image.copy()
        return Embedding((height, width), self.encoder_key, {"image": image.copy(), "mid": mid})

    def decode(
        self,
        embedding: Embedding,
        prompt: Prompt,
        *,
        refine: Candidate | None = None,
        insist: bool = False,
        preview: bool = False,
    ) -> list[Candidate]:
        """Return three candidates, best first (one with `preview`).

        `predicted_iou` is no model's estimate of an IoU but a ranking score: half of it is how far the start
        is to be preferred, the rest in equal parts how far the other cuts agree with this one and how well the
        mask is set off from its surroundings. Treat it as an order, not as a measure.
        """
        mid: RgbImage = embedding.arrays["mid"]  # type: ignore[assignment]
        # Each side has a scale of its own: the short side of a very long photo is rounded to whole pixels.
        scale = (mid.shape[1] / embedding.size_hw[1], mid.shape[0] / embedding.size_hw[0])
        scene = Scene((mid.shape[0], mid.shape[1]), prompt, scale)
        starts = [scene.preview_start()] if preview else scene.starts(refine.low_res if refine else None, insist=insist)
        cut = partial(_cut, mid, scene)
        cuts = list(self._pool.map(cut, starts)) if len(starts) > 1 else [cut(starts[0])]
        scores = _predicted(cuts)
        levels = levels_by_area([float(cut.guided.soft.sum()) for cut in cuts])
        image: RgbImage = embedding.arrays["image"]  # type: ignore[assignment]
        found = [
            _candidate(image, prompt, cut, value, level) for cut, value, level in zip(cuts, scores, levels, strict=True)
        ]
        return sorted(found, key=lambda candidate: -candidate.predicted_iou)


def _predicted(cuts: list[Cut]) -> list[float]:
    masks = [cut.guided.soft > 0.5 for cut in cuts]
    values = []
    for index, cut in enumerate(cuts):
        others = [_iou(masks[index], mask) for other, mask in enumerate(masks) if other != index]
        agreement = sum(others) / len(others) if others else cut.contrast
        value = 0.5 * cut.start.trust + 0.25 * agreement + 0.25 * cut.contrast
        values.append(value * (1 - min(0.5, TRUNCATED * cut.truncated)))
    return values


def _iou(one: Mask, other: Mask) -> float:
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 0.0


def _candidate(image: RgbImage, prompt: Prompt, cut: Cut, predicted_iou: float, level: Level) -> Candidate:
    guided = cut.guided
    rows, columns = coarse_size((image.shape[0], image.shape[1]))
    coarse = cv2.resize(guided.soft, (columns, rows), interpolation=cv2.INTER_AREA) > 0.5
    return Candidate(
        predicted_iou=predicted_iou,
        stability_score=guided.stability(),
        level=level,
        low_res=guided.logits(),
        coarse=coarse,
        upsample=lambda: pinned(without_specks(guided.full(image)), prompt),
    )


def _cut(mid: RgbImage, scene: Scene, start: Start) -> Cut:
    """Return the cut of one start: the parts that hold a foreground point, if there is any point."""
    picture = start.window.sample(mid, start.labels.shape)
    mask = divided(picture, start.labels)
    clicked = [start.window.to_cut(x, y, mask.shape) for x, y, label in scene.points if label == 1]
    mask = clicked_parts(mask, clicked)
    truncated = start.window.share_cut_off(mask, scene.size_hw)
    return Cut(start, GuidedMask(mid, start.window, mask), contrast(picture, mask), truncated)


def contrast(picture: RgbImage, mask: Mask) -> float:
    """Return how well a mask is set off from its surroundings, in [0, 1].

    Half of it is how far the mean colours within and in a ring without lie apart, relative to their spread;
    half is how many times stronger gradients are on the outline than elsewhere. It is a heuristic.
    """
    if not mask.any() or mask.all():
        return 0.0
    pixels = mask.astype(np.uint8)
    size = max(3, round(0.06 * max(mask.shape)) | 1)
    kernel = np.ones((size, size), np.uint8)
    ring = (cv2.dilate(pixels, kernel) > 0) & ~mask
    edge = cv2.morphologyEx(pixels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    if not ring.any():
        return 0.0
    colours = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    inner, outer = colours[mask].astype(np.float64), colours[ring].astype(np.float64)
    spread = float(np.sqrt((inner.var(axis=0) + outer.var(axis=0)).sum())) + 4.0
    apart = float(np.linalg.norm(inner.mean(axis=0) - outer.mean(axis=0))) / spread
    grey = colours[..., 0].astype(np.float32)
    steep = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)).astype(np.float64)
    on_edge = float(steep[edge].mean()) / (float(steep.mean()) + 2.0)
    frame = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean()
    value = 0.5 * min(apart, 1.5) / 1.5 + 0.5 * min(on_edge, 4.0) / 4.0
    # Sums of the same numbers may differ in their last bits from one memory address to another.
    return round(float(np.clip(value * (1 - 0.5 * frame), 0.0, 1.0)), 6)
