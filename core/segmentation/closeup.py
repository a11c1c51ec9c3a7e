"""The starter as a segmenter: it looks at the whole photo, then closely at where the object is.

The network sees 512 px of a photo and draws at a quarter of that; an object that is small there would be a
few dots. So the first answer only tells where to look: the photo around the object is cut out, encoded
and answered again by the same weights, which depend on no size. Colours and edges then have a say: a graph cut
that starts from the network's answer counts for half, and the outline goes where the photo has an edge.
"""

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import cv2
import numpy as np

from core.segmentation.clicked import pinned
from core.segmentation.graph_cut import divided, labels_of
from core.segmentation.guided import GuidedMask
from core.segmentation.protocol import (
    Candidate,
    Embedding,
    Logits,
    Mask,
    Point,
    Prompt,
    RgbImage,
    coarse_size,
    digest,
    levels_by_area,
)
from core.segmentation.sam import SamSegmenter, stability
from core.segmentation.specks import without_specks
from core.segmentation.windows import Window, expanded, whole

VERSION: Final = "closeup-1"
ROOM: Final = 1.7
"""Side of such a part, in longer sides of the object."""
LEAST_WINDOW: Final = 48
MOST_SHARE: Final = 0.75
"""Of the photo's longer side: a part as large as this shows little more than the whole photo."""
KEPT_VIEWS: Final = 24
NOTHING: Final = -8.0
FAR_LARGER: Final = 1.5
DOT: Final = 4
"""Pixels of the network's input to a dot of its answer."""
CUT_SIDE: Final = 128
SURE: Final = 0.05
"""The cut may change what the network holds more likely than this, and less likely than the rest."""
UNLIKELY: Final = 3e-4
EDGE_REACH: Final = 8
"""In pixels of the network's input: two dots of its answer."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class View:
    """A part of a photo, or all of it, made ready for answers."""

    window: Window
    sam: SamSegmenter
    embedding: Embedding


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: its predicted IoU, and its logits over what was looked at."""

    score: float
    logits: Logits
    view: View

    def pixels(self) -> float:
        """Return how many pixels of the photo it covers."""
        window = self.view.window
        share = float((self.logits > 0).mean())
        return share * (window.x1 - window.x0) * (window.y1 - window.y0)

    def coarse(self, size_hw: tuple[int, int]) -> Mask:
        """Return the mask over the whole photo at a small size."""
        rows, columns = coarse_size(size_hw)
        shrink = (columns / size_hw[1], rows / size_hw[0])
        window = self.view.window
        across, down = window.x1 - window.x0, window.y1 - window.y0
        grain = (across / self.logits.shape[1], down / self.logits.shape[0])
        corner = (window.x0, window.y0)
        return _resampled(self.logits, grain, corner, shrink, (0.0, 0.0), (rows, columns)) > 0


class CloseUpSegmenter:
    """Answers prompts with a starter network, from the whole photo and from close by. Safe to call from many threads.

    Parameters
    ----------
    wide, close : SamSegmenter
        One network at its own input size, and at a smaller one for parts of the photo.
    """

    keeps_embeddings = False

    def __init__(self, wide: SamSegmenter, close: SamSegmenter) -> None:
        self.wide, self.close = wide, close
        self.name, self.title, self.device = wide.name, wide.title, wide.device
        self.encoder_key = digest(VERSION, wide.encoder_key)
        self.content_hash = digest(VERSION, wide.content_hash, str(close.side))
        self._views: OrderedDict[tuple[int, Window], tuple[Embedding, View]] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=3, thread_name_prefix="closeup")

    def encode(self, image: RgbImage) -> Embedding:
        """Return what the network makes of an RGB image of shape (H, W, 3), and the image itself."""
        seen = self.wide.encode(image)
        return Embedding(seen.size_hw, self.encoder_key, {**seen.arrays, "image": image.copy()})

    def decode(
        self,
        embedding: Embedding,
        prompt: Prompt,
        *,
        refine: Candidate | None = None,
        insist: bool = False,
        preview: bool = False,
    ) -> list[Candidate]:
        """Return three candidates, best predicted IoU first (one with `preview`).

        `insist` changes nothing: all three answers grow out of the candidate that was chosen.
        """
        everything = View(whole(embedding.size_hw), self.wide, embedding)
        if preview:
            return self._offered(self._seen(everything, embedding, prompt, refine), embedding, prompt)[:1]
        window, afar = _where(prompt, refine, embedding.size_hw), list[Seen]()
        if window is None:
            afar = self._seen(everything, embedding, prompt, refine)
            window = _around(afar, prompt, embedding.size_hw)
            if window is None:
                return self._offered(self._agreed(afar, embedding, prompt), embedding, prompt)
        near = self._seen(self._view(embedding, window), embedding, prompt, refine)
        return self._offered(self._agreed(_with_the_whole(near, afar), embedding, prompt), embedding, prompt)

    def _view(self, embedding: Embedding, window: Window) -> View:
        """Return a part of the photo made ready, kept for as long as it is among those used last."""
        if window == whole(embedding.size_hw):
            return View(window, self.wide, embedding)
        key = (id(embedding), window)
        with self._lock:
            if key in self._views:
                self._views.move_to_end(key)
                return self._views[key][1]
        view = View(window, self.close, self.close.encode(_cut(embedding, window)))
        with self._lock:
            # The embedding is kept along: its id stays its own for as long as the entry lives.
            self._views[key] = (embedding, view)
            while len(self._views) > KEPT_VIEWS:
                self._views.popitem(last=False)
        return view

    def _seen(self, view: View, photo: Embedding, prompt: Prompt, refine: Candidate | None) -> list[Seen]:
        """Return the network's three answers, best first."""
        before = _moved(refine, view, photo.size_hw) if refine is not None else None
        low_res, predicted = view.sam.predict(view.embedding, _within(prompt, view.window), before)
        inside = view.sam.inside(low_res, view.embedding.size_hw).cpu().numpy()
        scores = predicted.clamp(0, 1).tolist()
        order = sorted(range(len(scores)), key=lambda index: -scores[index])
        return [Seen(scores[index], inside[index], view) for index in order]

    def _agreed(self, seen: list[Seen], photo: Embedding, prompt: Prompt) -> list[Seen]:
        """Return answers in which a graph cut has a say, and of which only the parts that were clicked are left."""

        def agreed(one: Seen) -> Seen:
            window = one.view.window
            logits = _agreed(_cut(photo, window), one.logits)
            return replace(one, logits=_clicked_parts(logits, _within(prompt, window), window))

        return list(self._pool.map(agreed, seen))

    def _offered(self, seen: list[Seen], photo: Embedding, prompt: Prompt) -> list[Candidate]:
        levels = levels_by_area([one.pixels() for one in seen])
        return [
            Candidate(
                predicted_iou=one.score,
                stability_score=stability(one.logits),
                level=level,
                low_res=_padded(one.logits, one.view.sam.side // DOT),
                coarse=one.coarse(photo.size_hw),
                upsample=partial(_full, one.logits, one.view, photo, prompt),
                window=one.view.window,
            )
            for one, level in zip(seen, levels, strict=True)
        ]


def _with_the_whole(near: list[Seen], afar: list[Seen]) -> list[Seen]:
    """Return the answers from close by, the last one given up for the largest from afar if that is far larger.

    Who clicks on a part and means the whole must find it among the three; it comes last, for it is less sure.
    """
    if not afar:
        return near
    largest = max(afar, key=Seen.pixels)
    if largest.pixels() < FAR_LARGER * max(one.pixels() for one in near):
        return near
    return [*near[:-1], replace(largest, score=min(largest.score, near[-2].score))]


def _clicked_parts(logits: Logits, prompt: Prompt, window: Window) -> Logits:
    """Return logits of which only the connected parts stay that hold a click on the object, if any part does."""
    rows, columns = logits.shape
    _, parts = cv2.connectedComponents((logits > 0).astype(np.uint8), connectivity=8)
    across, down = columns / (window.x1 - window.x0), rows / (window.y1 - window.y0)
    places = [
        (min(int(point.y * down), rows - 1), min(int(point.x * across), columns - 1))
        for point in prompt.points
        if point.label == 1
    ]
    clicked = {int(parts[place]) for place in places} - {0}
    if not clicked:
        return logits
    return np.where((parts > 0) & ~np.isin(parts, list(clicked)), np.float32(NOTHING), logits)


def _agreed(picture: RgbImage, logits: Logits) -> Logits:
    """Return logits half of which are a graph cut's that starts from them: colours and edges have a say.

    The cut is sure of what the network is sure of. It is made at a small size, where it takes some milliseconds.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, CUT_SIDE / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    soft = 1 / (1 + np.exp(-cv2.resize(logits, size, interpolation=cv2.INTER_LINEAR)))
    both = (soft + divided(small, labels_of(soft, SURE), model_pixels=None)) / 2
    likely = np.clip(both, UNLIKELY, 1 - UNLIKELY).astype(np.float32)
    agreed = np.log(likely / (1 - likely))
    return np.asarray(cv2.resize(agreed, (logits.shape[1], logits.shape[0]), interpolation=cv2.INTER_AREA), np.float32)


def _padded(logits: Logits, side: int) -> Logits:
    """Return the logits of a photo as those of the square in which the network sees it."""
    whole_square = np.full((side, side), NOTHING, np.float32)
    whole_square[: logits.shape[0], : logits.shape[1]] = logits
    return whole_square


def _cut(photo: Embedding, window: Window) -> RgbImage:
    image: RgbImage = photo.arrays["image"]  # type: ignore[assignment]
    return image[window.y0 : window.y1, window.x0 : window.x1]


def _full(logits: Logits, view: View, photo: Embedding, prompt: Prompt) -> Mask:
    """Return one answer at the photo's size, sharpened by its edges; what was clicked is certain."""
    picture = _cut(photo, view.window)
    rows, columns = view.sam.input_size((picture.shape[0], picture.shape[1]))
    mid = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    soft = np.asarray(1 / (1 + np.exp(-logits)), np.float32)
    sharp = GuidedMask(np.asarray(mid, np.uint8), whole((rows, columns)), soft, EDGE_REACH).full(picture)
    mask = np.zeros(photo.size_hw, bool)
    mask[view.window.y0 : view.window.y1, view.window.x0 : view.window.x1] = sharp
    return pinned(without_specks(mask), prompt)


def _moved(candidate: Candidate, view: View, size_hw: tuple[int, int]) -> Logits:
    """Return a candidate's logits as they would lie in another view."""
    window = candidate.window or whole(size_hw)
    side = candidate.low_res.shape[0]
    target = view.sam.side // DOT
    if window == view.window and side == target:
        return candidate.low_res
    before = max(window.x1 - window.x0, window.y1 - window.y0) / side
    after = max(view.window.x1 - view.window.x0, view.window.y1 - view.window.y0) / target
    return _resampled(
        candidate.low_res,
        (before, before),
        (window.x0, window.y0),
        (1 / after, 1 / after),
        (view.window.x0, view.window.y0),
        (target, target),
    )


def _resampled(
    logits: Logits,
    grain: tuple[float, float],
    corner: tuple[float, float],
    scale: tuple[float, float],
    origin: tuple[float, float],
    shape: tuple[int, int],
) -> Logits:
    """Return logits that have `grain` photo pixels a dot and begin at `corner`, at `scale` dots a pixel from `origin`.

    Dots stand for their middles. Where nothing is known there is nothing.
    """
    matrix = np.zeros((2, 3))
    for axis in range(2):
        matrix[axis, axis] = grain[axis] * scale[axis]
        matrix[axis, 2] = (corner[axis] - origin[axis] + 0.5 * grain[axis]) * scale[axis] - 0.5
    moved = cv2.warpAffine(
        logits,
        matrix,
        (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=NOTHING,
    )
    return np.asarray(moved, np.float32)


def _within(prompt: Prompt, window: Window) -> Prompt:
    """Return a prompt in a window's pixels; points outside it say nothing there."""
    points = tuple(
        Point(point.x - window.x0, point.y - window.y0, point.label)
        for point in prompt.points
        if window.x0 <= point.x <= window.x1 and window.y0 <= point.y <= window.y1
    )
    if prompt.box is None:
        return Prompt(points)
    x0, y0, x1, y1 = prompt.box
    return Prompt(points, (x0 - window.x0, y0 - window.y0, x1 - window.x0, y1 - window.y0))


def _where(prompt: Prompt, refine: Candidate | None, size_hw: tuple[int, int]) -> Window | None:
    """Return where to look, as far as it is known before an answer."""
    if prompt.box is not None:
        return _square(prompt.box, prompt, size_hw) or whole(size_hw)
    if refine is None or refine.window is None or refine.window == whole(size_hw):
        return None
    seen = refine.window
    if not all(_holds(seen, point) for point in prompt.points if point.label == 1):
        return None
    region = _box_of(refine.coarse, size_hw)
    return None if region is None or _reaches_edge(region, seen, size_hw) else seen


def _around(seen: list[Seen], prompt: Prompt, size_hw: tuple[int, int]) -> Window | None:
    """Return a window around what the best answer found, or None if it would be nearly the photo."""
    region = _box_of(seen[0].coarse(size_hw), size_hw)
    return _square(region, prompt, size_hw) if region is not None else None


def _square(region: Box, prompt: Prompt, size_hw: tuple[int, int]) -> Window | None:
    """Return a square around a region and what was clicked as object, or None if it would be nearly the photo."""
    inside = [(point.x, point.y) for point in prompt.points if point.label == 1]
    xs, ys = [region[0], region[2], *(x for x, _ in inside)], [region[1], region[3], *(y for _, y in inside)]
    side = max(LEAST_WINDOW, ROOM * max(max(xs) - min(xs), max(ys) - min(ys)))
    if side > MOST_SHARE * max(size_hw):
        return None
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return expanded((x - side / 2, y - side / 2, x + side / 2, y + side / 2), 1.0, size_hw, 2)


def _holds(window: Window, point: Point) -> bool:
    return window.x0 <= point.x < window.x1 and window.y0 <= point.y < window.y1


def _reaches_edge(region: Box, window: Window, size_hw: tuple[int, int]) -> bool:
    """Return whether a mask comes within a dot of a side of its window that is not the photo's own."""
    near = 0.03 * max(window.x1 - window.x0, window.y1 - window.y0)
    return (
        (window.x0 > 0 and region[0] < window.x0 + near)
        or (window.y0 > 0 and region[1] < window.y0 + near)
        or (window.x1 < size_hw[1] and region[2] > window.x1 - near)
        or (window.y1 < size_hw[0] and region[3] > window.y1 - near)
    )


def _box_of(coarse: Mask, size_hw: tuple[int, int]) -> Box | None:
    """Return the box of a coarse mask in photo pixels, or None if it is empty."""
    rows, columns = np.flatnonzero(coarse.any(axis=1)), np.flatnonzero(coarse.any(axis=0))
    if not rows.size:
        return None
    across, down = size_hw[1] / coarse.shape[1], size_hw[0] / coarse.shape[0]
    return (columns[0] * across, rows[0] * down, (columns[-1] + 1) * across, (rows[-1] + 1) * down)
