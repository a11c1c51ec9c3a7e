"""Measuring a model on a data set or on the library's own masks, beside GrabCut."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from core import masks as pixels
from core.errors import InvalidInput
from core.proposals import accepted_of
from core.segmentation.catalogue import DEFAULT, load_segmenter, spec_of
from core.segmentation.grabcut import GrabCutSegmenter
from core.segmentation.protocol import Segmenter, digest
from core.settings import Settings
from core.statistics import Interval
from core.training.datasets import open_dataset
from core.training.evaluate import evaluate as measure
from core.training.evaluate import key_of
from core.training.examples import Choice, Dataset, Drawing, Entry, Photo, choose, drawn
from core.training.gallery import write_gallery
from core.training.outcomes import Outcome, OutcomeFile
from core.training.scores import Scores, differences, score
from core.workshop import Library, open_library
from storage import images, masks

LIBRARY: Final = "library"
MAX_CLICKS: Final = 20
MOST_CLICKS: Final = 100
Progress = Callable[[str, int, int], None]
"""Called with (what is being done, how much is done, of how much)."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is to be measured.

    Attributes
    ----------
    dataset : str
        Path of a data set (`core.training.datasets.open_dataset`), or "library" for its accepted live masks.
    model : str
        Name of a segmenter of the catalogue.
    path : Path or None
        Its checkpoint, if it is not among the downloaded.
    objects : int or None
        How many objects, chosen at random; all for None.
    max_clicks : int
        Clicks after which an object counts as failed, 1 to 100.
    seed : int
        What the choice of objects and the intervals depend on; at least 0.
    out : Path or None
        File of results to go on with; one in the data folder for None.
    baseline : bool
        Whether GrabCut is measured too.
    pictures : Path or None
        HTML file for pictures of the model's best, typical and worst answers; none for None.
    """

    dataset: str
    model: str = DEFAULT
    path: Path | None = None
    objects: int | None = None
    max_clicks: int = MAX_CLICKS
    seed: int = 0
    out: Path | None = None
    baseline: bool = True
    pictures: Path | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One segmenter's figures, and the file that keeps them object by object."""

    name: str
    title: str
    content_hash: str
    outcomes: list[Outcome]
    scores: Scores
    results: Path


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """What came out: the model, GrabCut on the same objects (None if not asked for), and what was left out.

    `differences` are those of the means, model less GrabCut, over the same objects; empty without GrabCut.
    """

    dataset: str
    seed: int
    max_clicks: int
    left_out: int
    crowds: int
    model: Measured
    baseline: Measured | None
    differences: dict[str, Interval]


def evaluate(settings: Settings, asked: Evaluation, *, progress: Progress | None = None) -> EvaluationReport:
    """Return a model's figures by the click protocol of docs/evaluation.md; a run that was cut off is gone on with.

    Raises
    ------
    InvalidInput
        If a number or the data set cannot be meant, or results cannot be kept.
    ModelUnavailable
        If the model cannot be loaded.
    """
    if asked.objects is not None and asked.objects < 1:
        raise InvalidInput(f"the number of objects must be at least 1, got {asked.objects}")
    if not 1 <= asked.max_clicks <= MOST_CLICKS:
        raise InvalidInput(f"the most clicks must be 1 to {MOST_CLICKS}, got {asked.max_clicks}")
    if asked.seed < 0:
        raise InvalidInput(f"a seed must be at least 0, got {asked.seed}")
    with _dataset(settings, asked.dataset) as dataset:
        spec = spec_of(asked.model, asked.path, models=settings.models, device=settings.device)
        segmenter = load_segmenter(spec)
        choice = choose(dataset, asked.objects, asked.seed, progress=_named("Choosing", progress))
        run = partial(_measured, settings, asked, dataset, choice, progress=progress)
        model = run(segmenter)
        wanted = asked.baseline and segmenter.name != GrabCutSegmenter.name
        baseline = run(GrabCutSegmenter()) if wanted else None
        if asked.pictures:
            write_gallery(asked.pictures, segmenter, choice, model.outcomes, dataset=dataset.name)
    return EvaluationReport(
        dataset.name,
        asked.seed,
        asked.max_clicks,
        choice.left_out,
        dataset.crowds,
        model,
        baseline,
        differences(model.outcomes, baseline.outcomes, max_clicks=asked.max_clicks, seed=asked.seed)
        if baseline
        else {},
    )


def library_dataset(library: Library) -> Dataset:
    """Return the library's accepted masks as a data set; they are read at once, the photos later."""
    entries: list[Entry] = []
    index: list[str] = []
    with library.engines.reading() as session:
        for image_id, standing in masks.stream(library.project_id, session=session):
            found = accepted_of(standing)
            if not found:
                continue
            sha256 = images.get(image_id, session=session).working_sha256
            photo = Photo(f"image {image_id}", partial(library.files.get, "working", sha256), working=True)
            for mask in found:
                rle = pixels.Rle(size=[mask.height, mask.width], counts=mask.counts)
                entries.append(Entry(str(mask.id), photo, partial(_drawn, rle)))
                index.append(f"{mask.id} {sha256} {digest(mask.counts)}")
    return Dataset(LIBRARY, digest(*index), tuple(entries))


def _drawn(rle: pixels.Rle) -> Drawing:
    return drawn(pixels.decode(rle))


@contextmanager
def _dataset(settings: Settings, name: str) -> Iterator[Dataset]:
    if name != LIBRARY:
        yield open_dataset(Path(name).expanduser())
        return
    library = open_library(settings, samples=False)
    try:
        yield library_dataset(library)
    finally:
        library.close()


def _measured(
    settings: Settings,
    asked: Evaluation,
    dataset: Dataset,
    choice: Choice,
    segmenter: Segmenter,
    *,
    progress: Progress | None,
) -> Measured:
    key = key_of(dataset, segmenter, seed=asked.seed, max_clicks=asked.max_clicks)
    path = asked.out or settings.data / "evaluations" / f"{key}.jsonl"
    outcomes = measure(
        segmenter,
        choice,
        OutcomeFile(path, key),
        max_clicks=asked.max_clicks,
        progress=_named(segmenter.name, progress),
    )
    scores = score(outcomes, max_clicks=asked.max_clicks, seed=asked.seed)
    return Measured(segmenter.name, segmenter.title, segmenter.content_hash, outcomes, scores, path)


def _named(what: str, progress: Progress | None) -> Callable[[int, int], None] | None:
    return partial(progress, what) if progress else None
