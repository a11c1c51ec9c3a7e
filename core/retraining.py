"""Retraining the model that answers on what was accepted, and measuring what came of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from core import masks as pixels
from core.crew.alone import Alone
from core.crew.protocol import Crew
from core.encoding import keep, sight_of
from core.mask_rows import decoded, rle_of
from core.material import Material, choose_material
from core.segmentation.cache import EmbeddingCache
from core.segmentation.heads import head_bytes, head_of, with_head
from core.segmentation.protocol import Point, Segmenter, digest
from core.segmentation.sight import Sight
from core.segmentation.travelling import Model
from core.training.duels import Duel, duel, judge, made_scenes
from core.training.examples import Dataset, Entry, Photo, drawn
from core.training.lessons import Lesson, Page, taught
from core.training.recipe import Epoch, Recipe
from core.training.replay import Given, Saving, Spent, replayed, saving
from core.training.replay import Page as ReplayPage
from core.training.retrain import Retraining
from core.versions import Made, register
from core.workshop import Library
from storage import masks
from storage.rows import LearnableRow, MaskRow, ModelVersionRow

SCENE_SHARE: Final = 0.35
"""Of lessons from made scenes, in those from masks: they keep a model from forgetting."""
LEAST_SCENES: Final = 60
MOST_SCENES: Final = 300
SCENES_SEED: Final = 71
_IMAGE, _SCENE = 0, 1
"""What the chance of an image's and of a scene's lessons begins with."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a retraining is: what it does, what share of that is done, and the epochs so far."""

    stage: str
    share: float
    history: tuple[Epoch, ...] = ()


Report = Callable[[Progress], None]


def retrain(
    library: Library,
    champion: Segmenter,
    version: ModelVersionRow,
    folder: Path,
    *,
    recipe: Recipe,
    report: Report,
    crew: Crew | None = None,
) -> ModelVersionRow:
    """Return a new version of the model that answers, trained on what was accepted and measured beside it.

    It is not promoted. What an earlier run left in the folder is gone on with. The crew, this process if none is given,
    prepares lessons and measures; the learning itself is one thread of steps, each of which follows from the one
    before, and stays here.

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
    workers, cache = crew or Alone(), EmbeddingCache(library.files, memory_bytes=0)
    lessons = list(_lessons(library, champion, cache, material, recipe.seed, report, workers))
    run = Retraining(head, lessons, recipe, folder)
    history = run.run(after_step=lambda share: report(Progress("Learning", share, tuple(run.history))))
    told = partial(_told, report, tuple(history))
    challenger = with_head(champion, head.state_dict(), title=champion.title)
    fight = partial(duel, champion, challenger, folder=folder, crew=workers)
    holdout = fight(_dataset(library, material.held), progress=told("Measuring on kept images"))
    forgetting = fight(made_scenes(recipe.scenes), progress=told("Measuring on made scenes"))
    saved = _saving(library, champion, challenger, cache, material.held, told("Replaying prompts"), workers)
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


def _lessons(
    library: Library,
    champion: Segmenter,
    cache: EmbeddingCache,
    material: Material,
    seed: int,
    report: Report,
    crew: Crew,
) -> Iterator[Lesson]:
    rows = [*material.new, *material.older]
    wanted = max(LEAST_SCENES, min(MOST_SCENES, round(SCENE_SHARE * len(rows))))
    scenes = made_scenes(wanted, SCENES_SEED)
    count, total, model = 0, len(rows) + len(scenes.entries), Model(champion)

    def of_image(same: Sequence[LearnableRow]) -> Page:
        sight = sight_of(library, champion, cache, same[0].working_sha256)
        return Page(sight, tuple(rle_of(_mask(library, row)) for row in same), (seed, _IMAGE, same[0].image_id))

    def of_scene(numbered: tuple[int, Entry]) -> Page:
        number, scene = numbered[0], numbered[1].read()
        return Page(Sight(scene.photo.content()), (pixels.encode(scene.truth),), (seed, _SCENE, number))

    for same, outcome in crew.each(taught, _by_image(rows), of_image, model, gpu=model.on_gpu):
        made = outcome.result()
        keep(cache, champion, same[0].working_sha256, made.made)
        yield from made.lessons
        count += len(same)
        report(Progress("Preparing", count / total))
    for _, outcome in crew.each(taught, enumerate(scenes.entries), of_scene, model, gpu=model.on_gpu):
        yield from outcome.result().lessons
        count += 1
        report(Progress("Preparing", count / total))


def _by_image(rows: Iterable[LearnableRow]) -> Iterator[list[LearnableRow]]:
    """Yield the masks of each image, in order."""
    ordered = sorted(rows, key=lambda row: (row.image_id, row.mask_id))
    for _, same in groupby(ordered, key=lambda row: row.image_id):
        yield list(same)


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
    cache: EmbeddingCache,
    rows: Sequence[LearnableRow],
    progress: Callable[[int, int], None],
    crew: Crew,
) -> Saving | None:
    old, new, images = list[Spent](), list[Spent](), list[str]()
    count, models = 0, (Model(champion), Model(challenger))

    def of_image(same: Sequence[LearnableRow]) -> ReplayPage:
        masked = [_mask(library, row) for row in same]
        accepted = tuple((rle_of(mask), _given(mask)) for mask in masked if mask.prompts)
        return ReplayPage(sight_of(library, champion, cache, same[0].working_sha256), accepted)

    for same, outcome in crew.each(replayed, _by_image(rows), of_image, models, gpu=models[0].on_gpu):
        done = outcome.result()
        keep(cache, champion, same[0].working_sha256, done.made)
        old += done.champion
        new += done.challenger
        images += [str(same[0].image_id)] * len(done.champion)
        count += len(same)
        progress(count, len(rows))
    return saving(old, new, images)


def _given(mask: MaskRow) -> tuple[Given, ...]:
    """Return the prompts of a mask as they were given."""
    return tuple(
        Given(one.at_ms, point=Point(one.x, one.y, one.label or 0))
        if one.kind == "point"
        else Given(one.at_ms, box=(one.x, one.y, one.x1 or one.x, one.y1 or one.y))
        for one in mask.prompts
    )


def _mask(library: Library, row: LearnableRow) -> MaskRow:
    with library.engines.reading() as session:
        return masks.get(row.mask_id, session=session)


def _drawing(library: Library, row: LearnableRow) -> Any:
    return drawn(decoded(_mask(library, row)))


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
