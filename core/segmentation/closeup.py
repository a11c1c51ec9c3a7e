"""The starter as a segmenter: it looks at the whole photo, then closely at where the object is.

The network sees 512 px of a photo and draws at a quarter of that; an object that is small there would be a
few dots. So the first answer only tells where to look: the photo around the object is cut out, encoded
and answered again by the same weights, which depend on no size. Colours and edges then have a say: a graph cut
that starts from the network's answer counts for half, and the outline goes where the photo has an edge.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import cv2
import numpy as np

from core.segmentation.clicked import clicked_parts, pinned
from core.segmentation.dots import NOTHING, boxed, coarse_mask, likelihood_of, logits_of, moved, padded
from core.segmentation.graph_cut import divided, labels_of
from core.segmentation.guided import GuidedMask
from core.segmentation.looking import holds, known_window, window_around, within
from core.segmentation.protocol import (
    Candidate,
    Embedding,
    Logits,
    Mask,
    Prompt,
    RgbImage,
    digest,
    levels_by_area,
)
from core.segmentation.recent import Recent
from core.segmentation.sam import SamSegmenter, stability
from core.segmentation.specks import without_specks
from core.segmentation.windows import Window, whole

VERSION: Final = "closeup-6"
KEPT_VIEWS: Final = 12
FAR_LARGER: Final = 1.5
LIKENESS: Final = 0.05
"""Predicted IoU that likeness to the corrected mask makes up for: a click is to mend, not to upset."""
DOT: Final = 4
"""Pixels of the network's input to a dot of its answer."""
CUT_SIDE: Final = 112
SURE: Final = 0.05
"""The cut may change what the network holds more likely than this, and less likely than the rest."""
UNDECIDED: Final = 0.2
"""Farther from 0 and 1 the photo decides; a graph cut and a network that agree are seldom nearer to them."""
GRAIN: Final = 2
"""Pixels of the network's input to one of the copy in which edges are found."""
EDGE_REACH: Final = 4
"""In pixels of that copy: two dots of an answer."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of a photo, or all of it, made ready for answers.

    `picture` is that part as it is, `mid` at half the size at which the network sees it, `small` at that of the
    graph cut.
    """

    window: Window
    sam: SamSegmenter
    embedding: Embedding
    picture: RgbImage
    mid: RgbImage
    small: RgbImage


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
        self._views = Recent[View](KEPT_VIEWS)
        self._answered = Recent[tuple[Candidate | None, list[Seen]]](KEPT_VIEWS)

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
        """Return three candidates, best first (one with `preview`): by predicted IoU, and by likeness to `refine`.

        `insist` changes nothing: all three answers grow out of the candidate that was chosen.
        """
        everything = whole(embedding.size_hw)
        window, afar = known_window(prompt, refine, embedding.size_hw), list[Seen]()
        if window is None or (preview and refine is None):
            afar = self._seen(everything, embedding, prompt, refine)
            window = window_around(_coarse(afar[0], embedding), prompt, embedding.size_hw)
            if preview or window is None:
                return self._offered(afar[:1] if preview else afar, embedding, prompt)
        near = self._seen(window, embedding, prompt, refine)
        return self._offered(near[:1] if preview else _with_the_whole(near, afar), embedding, prompt)

    def _view(self, embedding: Embedding, window: Window) -> View:
        """Return a part of the photo made ready."""

        def ready() -> View:
            picture = np.ascontiguousarray(window.crop(embedding.arrays["image"]), np.uint8)
            sam = self.wide if window == whole(embedding.size_hw) else self.close
            seen = embedding if sam is self.wide else sam.encode(picture)
            rows, columns = sam.input_size((picture.shape[0], picture.shape[1]))
            mid = _reduced(picture, (max(2, rows // GRAIN), max(2, columns // GRAIN)))
            return View(window, sam, seen, picture, mid, _reduced(picture, _cut_size(picture)))

        return self._views.get(embedding, window, ready)

    def _seen(self, window: Window, photo: Embedding, prompt: Prompt, refine: Candidate | None) -> list[Seen]:
        """Return the network's three answers, best first; who clicks where they hovered has them already."""

        def answered() -> tuple[Candidate | None, list[Seen]]:
            view = self._view(photo, window)
            return refine, _answers(view, photo, prompt, refine)

        # The candidate is kept along, so that its id stays its own.
        return self._answered.get(photo, (window, prompt, id(refine)), answered)[1]

    def _offered(self, seen: list[Seen], photo: Embedding, prompt: Prompt) -> list[Candidate]:
        levels = levels_by_area([one.pixels() for one in seen])
        return [
            Candidate(
                predicted_iou=one.score,
                stability_score=stability(one.logits),
                level=level,
                low_res=padded(one.logits, one.view.sam.side // DOT),
                coarse=_coarse(one, photo),
                upsample=partial(_full, one, photo.size_hw, prompt),
                window=one.view.window,
            )
            for one, level in zip(seen, levels, strict=True)
        ]


def _answers(view: View, photo: Embedding, prompt: Prompt, refine: Candidate | None) -> list[Seen]:
    before = None
    if refine is not None:
        side = view.sam.side // DOT
        before = moved(refine.low_res, refine.window or whole(photo.size_hw), view.window, side)
    low_res, predicted = view.sam.predict(view.embedding, within(prompt, view.window), before)
    inside = view.sam.inside(low_res, view.embedding.size_hw).cpu().numpy()
    scores = predicted.clamp(0, 1).tolist()
    return [
        Seen(scores[index], _clicked(inside[index], view.window, prompt), view)
        for index in best_first(scores, inside, before)
    ]


def best_first(scores: Sequence[float], answers: Logits, corrected: Logits | None) -> list[int]:
    """Return the order of answers (n, h, w): by predicted IoU and, when a mask was corrected, by likeness to it.

    `corrected` are its logits; padding may lie to the right of them and below.
    """
    worth = list(scores)
    if corrected is not None:
        before = corrected[: answers.shape[1], : answers.shape[2]] > 0
        for index, one in enumerate(answers > 0):
            worth[index] += LIKENESS * float((one & before).sum() / max(1, (one | before).sum()))
    return sorted(range(len(worth)), key=lambda index: -worth[index])


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


def _clicked(logits: Logits, window: Window, prompt: Prompt) -> Logits:
    """Return logits of which only the parts that were clicked are left."""
    clicked = [point for point in prompt.points if point.label == 1 and holds(window, point)]
    kept = clicked_parts(logits > 0, [window.to_cut(point.x, point.y, logits.shape) for point in clicked])
    return np.where((logits > 0) & ~kept, np.float32(NOTHING), logits)


def _agreed(small: RgbImage, logits: Logits) -> Logits:
    """Return logits half of which are a graph cut's that starts from them: colours and edges have a say.

    The cut is sure of what the network is sure of. It is made at the size of `small`, where it takes some milliseconds.
    """
    size = (small.shape[1], small.shape[0])
    soft = likelihood_of(np.asarray(cv2.resize(logits, size, interpolation=cv2.INTER_LINEAR), np.float32))
    both = logits_of((soft + divided(small, labels_of(soft, SURE))) / 2)
    return np.asarray(cv2.resize(both, (logits.shape[1], logits.shape[0]), interpolation=cv2.INTER_AREA), np.float32)


def _cut_size(picture: RgbImage) -> tuple[int, int]:
    """Return the rows and columns at which a picture is cut."""
    height, width = picture.shape[:2]
    scale = min(1.0, CUT_SIDE / max(height, width))
    return max(2, round(height * scale)), max(2, round(width * scale))


def _reduced(picture: RgbImage, size_hw: tuple[int, int]) -> RgbImage:
    return np.asarray(cv2.resize(picture, size_hw[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _coarse(one: Seen, photo: Embedding) -> Mask:
    return coarse_mask(one.logits, one.view.window, photo.size_hw)


def _full(one: Seen, size_hw: tuple[int, int], prompt: Prompt) -> Mask:
    """Return one answer at the photo's size, sharpened by its edges; what was clicked is certain."""
    view, logits = one.view, one.logits
    if prompt.box is not None:
        logits = boxed(logits, view.window, prompt.box)
    likely = likelihood_of(_clicked(_agreed(view.small, logits), view.window, prompt))
    everywhere = whole((view.mid.shape[0], view.mid.shape[1]))
    sharp = GuidedMask(view.mid, everywhere, likely, EDGE_REACH).full(view.picture, UNDECIDED)
    mask = np.zeros(size_hw, bool)
    mask[view.window.y0 : view.window.y1, view.window.x0 : view.window.x1] = sharp
    return pinned(without_specks(mask), prompt)
