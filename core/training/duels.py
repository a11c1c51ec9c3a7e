"""Champion against challenger: on objects that neither learned from, and on scenes that no team's photos look like."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from PIL import Image

from core.crew.protocol import Crew
from core.segmentation.protocol import RgbImage, Segmenter, digest
from core.statistics import Interval, intervals
from core.training.evaluate import evaluate, key_of
from core.training.examples import Choice, Dataset, Entry, Photo, drawn
from core.training.materials import Materials, photos_in
from core.training.outcomes import Outcome, OutcomeFile
from core.training.scenes import SceneMaker
from core.training.scores import Scores, differences, per_object, score

CLICKS: Final = 5
CONTENT: Final = 0.95
"""IoU at which an annotator accepts: what a further click would do to such a mask, nobody sees."""
RULED: Final = ("iou_at_1", "iou_at_3", "iou_at_5")
OVERALL: Final = "iou_mean"
LEAST_CHANGE: Final = 0.01
MOST_FORGOTTEN: Final = 0.02
"""Of IoU, on made scenes."""
SCENES_SEED: Final = 20_260
SCENE_SIDE: Final = 512
Kind = Literal["better", "alike", "worse"]


@dataclass(frozen=True, slots=True)
class Duel:
    """Two models' figures on the same objects, and the challenger's less the champion's with 95 % intervals.

    Among the differences is `iou_mean`, that of the mean IoU after one, three and five clicks.
    """

    champion: Scores
    challenger: Scores
    differences: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a challenger may take over, and the sentence that says why."""

    kind: Kind
    reason: str


def duel(
    champion: Segmenter,
    challenger: Segmenter,
    dataset: Dataset,
    folder: Path,
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    crew: Crew | None = None,
) -> Duel:
    """Return both models' figures on all objects of a data set; a duel that was cut off is gone on with.

    An object gets five clicks at most, and none after its mask has 0.95 IoU. With a crew, photos are shared out.

    Raises
    ------
    InvalidInput
        If a photo or mask cannot be read.
    """
    choice = Choice(dataset.entries, 0)
    count = len(dataset.entries)

    def measured(model: Segmenter, before: int) -> Any:
        key = key_of(dataset, model, seed=seed, max_clicks=CLICKS, enough=CONTENT)
        told = (lambda done, _total: progress(before + done, 2 * count)) if progress else None
        kept = OutcomeFile(folder / "outcomes.jsonl", key)
        return evaluate(model, choice, kept, max_clicks=CLICKS, enough=CONTENT, progress=told, crew=crew)

    ours, theirs = measured(champion, 0), measured(challenger, count)
    scored = partial(score, max_clicks=CLICKS, seed=seed)
    found = differences(theirs, ours, max_clicks=CLICKS, seed=seed)
    return Duel(scored(ours), scored(theirs), {**found, OVERALL: _overall(ours, theirs, seed)})


def _overall(champion: list[Outcome], challenger: list[Outcome], seed: int) -> Interval:
    old, new = (per_object(outcomes, max_clicks=CLICKS) for outcomes in (champion, challenger))
    changes = np.mean([new[name] - old[name] for name in RULED], axis=0)
    return intervals(changes[:, None], [outcome.image for outcome in champion], seed=seed)[0]


def judge(holdout: Duel, forgetting: Duel) -> Verdict:
    """Return whether a challenger may take over.

    It rises or falls where the interval of a difference leaves out 0 and its mean is more than 0.01: less nobody sees.
    Forgotten is what it knew where on made scenes the mean of these clicks surely falls, by more than 0.02.
    Better: it rises after one, three or five clicks, falls after none, and nothing is forgotten. Worse: it falls, or
    forgot. Else alike.
    """
    kept = forgetting.differences[OVERALL]
    if kept.high < 0 and kept.mean < -MOST_FORGOTTEN:
        fell = f"IoU fell by {-kept.mean:.3f} ({_range(kept)})"
        return Verdict("worse", f"it forgot: on made scenes {fell}, the mean after 1, 3 and 5 clicks")
    found = {name: holdout.differences[name] for name in RULED}
    for name, interval in found.items():
        if interval.high < 0 and interval.mean < -LEAST_CHANGE:
            return Verdict("worse", f"IoU {_after(name)} fell by {-interval.mean:.3f} ({_range(interval)})")
    for name, interval in found.items():
        if interval.low > 0 and interval.mean > LEAST_CHANGE:
            return Verdict("better", f"IoU {_after(name)} rose by {interval.mean:.3f} ({_range(interval)})")
    first = found[RULED[0]]
    return Verdict("alike", f"no difference is sure; IoU {_after(RULED[0])}: {first.mean:+.3f} ({_range(first)})")


def made_scenes(count: int, seed: int = SCENES_SEED) -> Dataset:
    """Return scenes of one painted object each, the same for a seed: what a model knew before it was retrained."""
    maker, entries = SceneMaker(Materials((), photos_in([])), seed), list[Entry]()
    while len(entries) < count:
        scene = maker.make(SCENE_SIDE)
        numbers, sizes = np.unique(scene.objects[scene.objects > 0], return_counts=True)
        if not len(numbers) or not 0.01 < sizes.max() / scene.objects.size < 0.6:
            continue
        mask = scene.objects == numbers[sizes.argmax()]
        name = f"scene {len(entries) + 1}"
        photo = Photo(name, partial(_png, scene.image), working=True)
        entries.append(Entry(name, photo, partial(drawn, mask)))
    return Dataset("made scenes", digest("scenes-1", str(count), str(seed)), tuple(entries))


def _png(pixels: RgbImage) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _after(name: str) -> str:
    clicks = name.rpartition("_")[2]
    return f"after {clicks} click{'' if clicks == '1' else 's'}"


def _range(interval: Interval) -> str:
    return f"{interval.low:+.3f} to {interval.high:+.3f}"
