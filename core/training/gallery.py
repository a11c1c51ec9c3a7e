"""A page of pictures of what a segmenter answered: the best, the typical and the worst of what was measured."""

import base64
import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.segmentation.protocol import Mask, Point, RgbImage, Segmenter
from core.training.examples import Choice, Entry
from core.training.outcomes import Outcome
from core.training.protocol import iou, rounds

SHOWN: Final = (1, 3, 5)
"""Clicks after which the answer is shown."""
OF_EACH: Final = 4
SIDE: Final = 360
_TRUTH: Final = (255, 214, 0)
_MASK: Final = (0, 160, 255)
_CLICKS: Final = ((230, 40, 40), (40, 200, 80))
_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1500px; padding: 0 1rem; color: #1a1a1a }
h2 { margin: 2.5rem 0 0.5rem } .row { display: flex; flex-wrap: wrap; gap: 0.75rem; margin: 0 0 1.25rem }
figure { margin: 0 } figcaption { color: #555; font-variant-numeric: tabular-nums } img { display: block }
@media (prefers-color-scheme: dark) { body { background: #15171a; color: #e8e8e8 } figcaption { color: #aaa } }
"""


@dataclass(frozen=True, slots=True)
class _Shown:
    title: str
    entries: tuple[Entry, ...]


def write_gallery(path: Path, segmenter: Segmenter, choice: Choice, outcomes: list[Outcome], *, dataset: str) -> None:
    """Write one HTML file, complete in itself: best, typical and worst objects by mean IoU after 1, 3 and 5 clicks.

    Raises
    ------
    InvalidInput
        If the file cannot be written, or a photo or mask cannot be read.
    """
    title = html.escape(f"{segmenter.name} on {dataset}")
    parts = [f'<!doctype html><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>']
    parts.append("<p>Yellow: the true outline. Blue: the best-scored answer. Dots: clicks, green on the object.</p>")
    for shown in _chosen(choice, outcomes):
        parts.append(f"<h2>{shown.title}</h2>")
        parts += [_row(segmenter, entry) for entry in shown.entries]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(parts) + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"the page of pictures must be writable, but {path} is not ({error.strerror})") from error


def _chosen(choice: Choice, outcomes: list[Outcome]) -> list[_Shown]:
    """Return at most four objects of each kind, none twice."""
    quality = [_quality(outcome) for outcome in outcomes]
    order = [int(index) for index in np.argsort(quality, kind="stable")[::-1]]
    count = min(OF_EACH, max(1, len(order) // 3))
    middle = max(0, (len(order) - count) // 2)
    places = {"Best": order[:count], "Typical": order[middle : middle + count], "Worst": order[-count:]}
    found, seen = [], set[int]()
    for title, indices in places.items():
        fresh = [index for index in indices if index not in seen]
        seen |= set(fresh)
        if fresh:
            found.append(_Shown(title, tuple(choice.entries[index] for index in fresh)))
    return found


def _quality(outcome: Outcome) -> float:
    values = [outcome.iou[min(clicks, len(outcome.iou)) - 1] for clicks in SHOWN]
    return sum(values) / len(values)


def _row(segmenter: Segmenter, entry: Entry) -> str:
    example = entry.read()
    image = example.photo.read(example.drawn_hw)
    figures = []
    embedding = segmenter.encode(image)
    for turn in rounds(segmenter, embedding, example.truth, example.unsure, max_clicks=SHOWN[-1]):
        clicks = len(turn.points)
        if clicks in SHOWN:
            mask = turn.found[0].mask()
            value = iou(mask, example.truth, example.unsure)
            caption = f"{clicks} click{'s' * (clicks > 1)}: IoU {value:.2f}"
            figures.append(_figure(_drawn(image, example.truth, mask, turn.points), caption))
    name = html.escape(example.id)
    return f'<div class="row" title="{name}">{"".join(figures)}</div>'


def _drawn(image: RgbImage, truth: Mask, mask: Mask, points: tuple[Point, ...]) -> NDArray[Any]:
    """Return the photo at 360 px with mask, truth and clicks over it."""
    height, width = truth.shape
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(image, size, interpolation=how)).astype(np.float32)
    cover = cv2.resize(mask.astype(np.float32), size, interpolation=how)[..., None] * np.float32(0.5)
    canvas: NDArray[Any] = (picture * (1 - cover) + np.array(_MASK, np.float32) * cover).astype(np.uint8)
    small = (cv2.resize(truth.astype(np.float32), size, interpolation=how) > 0.5).astype(np.uint8)
    outlines, _ = cv2.findContours(small, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, _TRUTH, 1)
    for point in points:
        at = (int(point.x * scale), int(point.y * scale))
        cv2.circle(canvas, at, 5, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(canvas, at, 4, _CLICKS[point.label], -1, cv2.LINE_AA)
    return canvas


def _figure(picture: NDArray[Any], caption: str) -> str:
    data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
    source = base64.b64encode(data).decode()
    return f'<figure><img src="data:image/jpeg;base64,{source}" alt=""><figcaption>{caption}</figcaption></figure>'
