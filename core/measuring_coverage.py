"""How good surveys are: on photos whose objects are known, how many are found, and how many proposals are true."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from core.covering import reduced
from core.errors import InvalidInput
from core.quality.coverage import Limits, matches, survey
from core.segmentation.catalogue import load_segmenter, spec_of
from core.segmentation.proposing import Plan, plan_of, proposals
from core.segmentation.protocol import Segmenter
from core.settings import Settings
from core.statistics import Interval, resamples
from core.training.datasets import open_dataset
from core.training.examples import Entry

HALVES: Final = ("all", "first", "second")


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out. Intervals are of resamples of images; `seconds` is the median of encoding and survey together.

    Attributes
    ----------
    recall : Interval
        Share of the known objects that a proposal has with IoU 0.5 or more.
    precision : Interval
        Share of the proposals that are of a known object.
    recall_per_image : float
        Mean of the images' own recalls: crowded ones count no more than others.
    """

    dataset: str
    half: str
    model: str
    limits: Limits
    images: int
    objects: int
    proposals: int
    recall: Interval
    precision: Interval
    recall_per_image: float
    seconds: float


def measure(
    settings: Settings,
    dataset: Path,
    *,
    model: str,
    half: str = "all",
    limit: int | None = None,
    plan: Plan | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Measured:
    """Survey photos without any mask and compare what is left with what is there.

    Objects too small for coarse masks count as not found: no survey sees them.

    Parameters
    ----------
    half : str
        "first" and "second" are every other image, in the order of the data set: limits chosen on one half are
        measured on the other.

    Raises
    ------
    InvalidInput
        If the data set cannot be read, or has no image.
    ModelUnavailable
        If the model cannot be loaded or has no weights.
    """
    segmenter = load_segmenter(spec_of(model, None, models=settings.models, device=settings.device))
    found = open_dataset(dataset)
    photos: dict[str, list[Entry]] = {}
    for entry in found.entries:
        photos.setdefault(entry.photo.name, []).append(entry)
    chosen = list(photos.values())
    if half != "all":
        chosen = chosen[HALVES.index(half) - 1 :: 2]
    chosen = chosen[:limit]
    if not chosen:
        raise InvalidInput(f"{found.name} must have a photo with objects, got none")
    plan = plan or plan_of(segmenter)
    rows, seconds = [], []
    for done, entries in enumerate(chosen, start=1):
        objects, proposed, hits, took = _one(segmenter, plan, entries)
        rows.append((objects, proposed, hits))
        seconds.append(took)
        if progress is not None:
            progress(done, len(chosen))
    table = np.array(rows, float)
    return Measured(
        dataset=found.name,
        half=half,
        model=segmenter.name,
        limits=plan.limits,
        images=len(rows),
        objects=int(table[:, 0].sum()),
        proposals=int(table[:, 1].sum()),
        recall=_share(table, 0),
        precision=_share(table, 1),
        recall_per_image=float((table[:, 2] / table[:, 0]).mean()),
        seconds=round(statistics.median(seconds), 3),
    )


def _one(segmenter: Segmenter, plan: Plan, entries: Sequence[Entry]) -> tuple[int, int, int, float]:
    """Return one photo's objects, proposals, pairs of the two, and the seconds that its survey took."""
    examples = [entry.read() for entry in entries]
    photo = examples[0].photo.read(examples[0].drawn_hw)
    begun = time.perf_counter()
    found = survey(proposals(segmenter, photo, segmenter.encode(photo), (), plan), (), plan.limits)
    took = time.perf_counter() - begun
    return len(examples), len(found.left), matches(found.left, [reduced(one.truth) for one in examples]), took


def _share(table: np.ndarray, of: int) -> Interval:
    """Return pairs over the objects (0) or proposals (1) of all images, and the middle 95 % of resamples of images."""
    drawn = np.concatenate([weights @ table for weights in resamples(len(table), 0)])
    shares = drawn[:, 2] / np.maximum(drawn[:, of], 1)
    low, high = np.percentile(shares, [2.5, 97.5])
    total = table[:, of].sum()
    return Interval(float(table[:, 2].sum() / total) if total else 0.0, float(low), float(high))
