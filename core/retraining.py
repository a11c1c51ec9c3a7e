"""Retraining the model that answers on what was accepted, and measuring what came of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import InvalidInput
from core.mask_rows import decoded
from core.segmentation.cache import EmbeddingCache, cache_key
from core.segmentation.heads import head_bytes, head_of, with_head
from core.segmentation.protocol import Embedding, Point, Segmenter, digest
from core.training.duels import Duel, duel, judge, made_scenes
from core.training.examples import Dataset, Entry, Photo, drawn
from core.training.lessons import Lesson, lessons_of
from core.training.recipe import Epoch, Recipe
from core.training.replay import Given, Saving, Spent, saving, spent
from core.training.retrain import Retraining
from core.versions import Made, register
from core.workshop import Library
from storage import masks
from storage.rows import LearnableRow, MaskRow, ModelVersionRow

HOLDOUT_PARTS: Final = 5
"""One image in so many is kept for measuring, always the same ones."""
LEAST_MASKS: Final = 10
LEAST_HELD: Final = 4
MOST_MASKS: Final = 2_000
"""Learned from in one round: memory and minutes grow with it."""
MOST_HELD: Final = 60
REPLAY_SHARE: Final = 0.3
"""Of older masks, in new ones."""
SCENE_SHARE: Final = 0.35
"""Of lessons from made scenes, in those from masks: they keep a model from forgetting."""
LEAST_SCENES: Final = 60
MOST_SCENES: Final = 300
SCENES_SEED: Final = 71
CACHE_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a retraining is: what it does, what share of that is done, and the epochs so far."""

    stage: str
    share: float
    history: tuple[Epoch, ...] = ()


Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Material:
    """Masks to learn from and to measure on, none of one image on both sides.

    Attributes
    ----------
    new, older, held : tuple of LearnableRow
        Accepted since the last round, a share of those before, and those of the images kept for measuring.
    upto : int
        Id of the newest mask there was; the next round begins after it.
    """

    new: tuple[LearnableRow, ...]
    older: tuple[LearnableRow, ...]
    held: tuple[LearnableRow, ...]
    upto: int


def is_held(working_sha256: str) -> bool:
    """Return whether an image is kept for measuring: one in five, by its content, so that it stays so for good."""
    return int(working_sha256[:8], 16) % HOLDOUT_PARTS == 0


def choose_material(rows: Sequence[LearnableRow], *, after: int, seed: int) -> Material:
    """Return what a round learns from and is measured on.

    Parameters
    ----------
    after : int
        Id of the newest mask that the model's last round knew; 0 if there was none.

    Raises
    ------
    InvalidInput
        If there are too few masks on either side.
    """
    rng = np.random.default_rng(seed)
    taught = [row for row in rows if not is_held(row.working_sha256)]
    held = _some([row for row in rows if is_held(row.working_sha256)], MOST_HELD, rng)
    new = _some([row for row in taught if row.mask_id > after], MOST_MASKS, rng)
    older = _some([row for row in taught if row.mask_id <= after], round(REPLAY_SHARE * len(new)), rng)
    if len(new) < LEAST_MASKS:
        since = " since the last round" if after else ""
        raise InvalidInput(f"retraining must have at least {LEAST_MASKS} masks accepted{since}, got {len(new)}")
    if len(held) < LEAST_HELD:
        raise InvalidInput(
            f"at least {LEAST_HELD} masks must lie on the images kept for measuring (one in {HOLDOUT_PARTS}), "
            f"got {len(held)}; annotate more images"
        )
    return Material(tuple(new), tuple(older), tuple(held), max(row.mask_id for row in rows))


def retrain(
    library: Library, champion: Segmenter, version: ModelVersionRow, folder: Path, *, recipe: Recipe, report: Report
) -> ModelVersionRow:
    """Return a new version of the model that answers, trained on what was accepted and measured beside it.

    It is not promoted. What an earlier run left in the folder is gone on with.

    Raises
    ------
    InvalidInput
        If there are too few masks.
    ModelUnavailable
        If the model has nothing that learns.
    Cancelled
        If `report` raises it.
    """
    head = head_of(champion)
    with library.engines.reading() as session:
        rows = masks.learnable(library.project_id, session=session)
    material = choose_material(rows, after=int(version.detail.get("upto", 0)), seed=recipe.seed)
    embed = partial(_embedding, library, champion, EmbeddingCache(library.files, memory_bytes=CACHE_BYTES))
    lessons = list(_lessons(library, champion, embed, material, recipe.seed, report))
    run = Retraining(head, lessons, recipe, folder)
    history = run.run(after_step=lambda share: report(Progress("Learning", share, tuple(run.history))))
    told = partial(_told, report, tuple(history))
    challenger = with_head(champion, head.state_dict(), title=champion.title)
    holdout = duel(
        champion, challenger, _dataset(library, material.held), folder, progress=told("Measuring on kept images")
    )
    forgetting = duel(
        champion, challenger, made_scenes(recipe.scenes), folder, progress=told("Measuring on made scenes")
    )
    saved = _saving(library, champion, challenger, embed, material.held, told("Replaying prompts"))
    verdict = judge(holdout, forgetting)
    made = Made(
        head=head_bytes(head),
        upto=material.upto,
        detail={
            "trained": {
                "masks": len(material.new),
                "older": len(material.older),
                "lessons": len(lessons),
                "images": len({row.image_id for row in (*material.new, *material.older)}),
                "recipe": asdict(recipe),
                "history": [asdict(epoch) for epoch in history],
            },
            "holdout": _figures(holdout),
            "forgetting": _figures(forgetting),
            "saving": asdict(saved) if saved else None,
            "verdict": asdict(verdict),
        },
    )
    return register(library, challenger, version, made)


def _some(rows: list[LearnableRow], most: int, rng: np.random.Generator) -> list[LearnableRow]:
    """Return at most so many rows, chosen at random, in their order."""
    if len(rows) <= most:
        return rows
    return [rows[index] for index in sorted(rng.choice(len(rows), most, replace=False))]


def _lessons(
    library: Library,
    champion: Segmenter,
    embed: Callable[[str], Embedding],
    material: Material,
    seed: int,
    report: Report,
) -> Iterator[Lesson]:
    rng = np.random.default_rng(seed)
    rows = sorted((*material.new, *material.older), key=lambda row: (row.image_id, row.mask_id))
    wanted = max(LEAST_SCENES, min(MOST_SCENES, round(SCENE_SHARE * len(rows))))
    count, scenes = 0, made_scenes(wanted, SCENES_SEED)
    total = len(rows) + len(scenes.entries)
    for sha256, same in groupby(rows, key=lambda row: row.working_sha256):
        embedding = embed(sha256)
        for row in same:
            yield from lessons_of(champion, embedding, decoded(_mask(library, row)), rng)
            count += 1
            report(Progress("Preparing", count / total))
    for entry in scenes.entries:
        scene = entry.read()
        yield from lessons_of(champion, champion.encode(scene.photo.read(scene.drawn_hw)), scene.truth, rng)
        count += 1
        report(Progress("Preparing", count / total))


def _dataset(library: Library, rows: Iterable[LearnableRow]) -> Dataset:
    """Return masks of the library as objects to measure on; they are read one by one."""
    entries = []
    for row in sorted(rows, key=lambda row: (row.image_id, row.mask_id)):
        photo = Photo(f"image {row.image_id}", partial(library.files.get, "working", row.working_sha256), working=True)
        entries.append(Entry(str(row.mask_id), photo, partial(_drawing, library, row)))
    return Dataset("kept images", digest(*(entry.id for entry in entries)), tuple(entries))


def _saving(
    library: Library,
    champion: Segmenter,
    challenger: Segmenter,
    embed: Callable[[str], Embedding],
    rows: Sequence[LearnableRow],
    progress: Callable[[int, int], None],
) -> Saving | None:
    old, new, images = list[Spent](), list[Spent](), list[str]()
    for number, row in enumerate(rows, start=1):
        mask = _mask(library, row)
        given = [
            Given(one.at_ms, point=Point(one.x, one.y, one.label or 0))
            if one.kind == "point"
            else Given(one.at_ms, box=(one.x, one.y, one.x1 or one.x, one.y1 or one.y))
            for one in mask.prompts
        ]
        if given:
            embedding, accepted = embed(row.working_sha256), decoded(mask)
            old.append(spent(champion, embedding, accepted, given))
            new.append(spent(challenger, embedding, accepted, given))
            images.append(str(row.image_id))
        progress(number, len(rows))
    return saving(old, new, images)


def _mask(library: Library, row: LearnableRow) -> MaskRow:
    with library.engines.reading() as session:
        return masks.get(row.mask_id, session=session)


def _drawing(library: Library, row: LearnableRow) -> Any:
    return drawn(decoded(_mask(library, row)))


def _embedding(library: Library, segmenter: Segmenter, cache: EmbeddingCache, sha256: str) -> Embedding:
    return cache.get_or_build(
        cache_key(sha256, segmenter.encoder_key),
        lambda: segmenter.encode(library.working_pixels(sha256)),
        keep=segmenter.keeps_embeddings,
    )


def _told(report: Report, history: tuple[Epoch, ...], stage: str) -> Callable[[int, int], None]:
    return lambda done, total: report(Progress(stage, done / total, history))


def _figures(found: Duel) -> dict[str, Any]:
    """Return a duel as it is kept with the version: both models' figures, intervals and calibration curves."""
    sides = {"champion": found.champion, "challenger": found.challenger}
    return {
        "objects": found.champion.objects,
        "images": found.champion.images,
        "differences": {name: asdict(interval) for name, interval in found.differences.items()},
        **{
            side: {
                "values": scores.values,
                "intervals": scores.intervals,
                "reliability": [asdict(one) for one in scores.reliability],
            }
            for side, scores in sides.items()
        },
    }
