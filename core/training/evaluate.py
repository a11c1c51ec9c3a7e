"""Measuring a segmenter on a data set, object by object, so that it can be cut off at any time and gone on with."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from core.crew.protocol import Crew
from core.errors import InvalidInput
from core.segmentation.protocol import Embedding, Segmenter, digest
from core.segmentation.travelling import Model
from core.training.examples import Choice, Dataset, Entry, Example, Progress
from core.training.outcomes import Outcome, OutcomeFile
from core.training.protocol import VERSION, Trace, box_ious, follow


def key_of(dataset: Dataset, segmenter: Segmenter, *, seed: int, max_clicks: int, enough: float | None = None) -> str:
    """Return under which key outcomes are kept: data set, model, seed, clicks and their end, the protocol's version."""
    ends = () if enough is None else (str(enough),)
    return digest(VERSION, dataset.fingerprint, segmenter.content_hash, str(seed), str(max_clicks), *ends)[:16]


@dataclass(frozen=True, slots=True)
class Asked:
    """The objects of one photo, what is known of them already, and how the others are to be measured."""

    examples: tuple[Example, ...]
    known: Mapping[str, Outcome]
    max_clicks: int
    enough: float | None


def evaluate(
    segmenter: Segmenter,
    choice: Choice,
    kept: OutcomeFile,
    *,
    max_clicks: int,
    enough: float | None = None,
    progress: Progress | None = None,
    crew: Crew | None = None,
) -> list[Outcome]:
    """Return the outcome of each chosen object, in the order of the choice.

    With `enough` nobody clicks on where a mask has that IoU.

    What `kept` has of the same photo and mask is taken from there, and what is measured is kept there: at once, or with
    a crew once all objects of its photo are measured. A photo is encoded once for all its objects.

    Raises
    ------
    InvalidInput
        If a photo or mask cannot be read, they do not fit each other, or outcomes cannot be kept.
    """
    known = kept.known()
    outcomes: list[Outcome] = []

    def note(found: Iterable[tuple[Outcome, bool]]) -> None:
        for outcome, new in found:
            if new:
                kept.append(outcome)
            outcomes.append(outcome)
            if progress:
                progress(len(outcomes), len(choice.entries))

    def asked(entries: list[Entry]) -> Asked:
        examples = tuple(entry.read().with_photo() for entry in entries)
        has = {entry.id: known[entry.id] for entry in entries if entry.id in known}
        return Asked(examples, has, max_clicks, enough)

    photos = (list(entries) for _, entries in groupby(choice.entries, key=lambda entry: entry.photo.name))
    if crew is None:
        for entries in photos:
            note(_outcomes(segmenter, (entry.read() for entry in entries), known, max_clicks, enough))
    else:
        model = Model(segmenter)
        for _, outcome in crew.each(measured, photos, asked, model, gpu=model.on_gpu):
            note(outcome.result())
    return outcomes


def measured(model: Model, asked: Asked) -> list[tuple[Outcome, bool]]:
    """Return the outcome of each of a photo's objects, and whether it was measured now."""
    return list(_outcomes(model.segmenter, asked.examples, asked.known, asked.max_clicks, asked.enough))


def _outcomes(
    segmenter: Segmenter,
    examples: Iterable[Example],
    known: Mapping[str, Outcome],
    max_clicks: int,
    enough: float | None,
) -> Iterator[tuple[Outcome, bool]]:
    embedding: Embedding | None = None
    for example in examples:
        mark = example.mark()
        outcome = known.get(example.id)
        if outcome is not None and outcome.mark == mark:
            yield outcome, False
            continue
        encode_ms = None
        if embedding is None:
            embedding, encode_ms = _encoded(segmenter, example)
        if embedding.size_hw != example.truth.shape:
            raise InvalidInput(f"the masks of {example.photo.name} must be of one size, but {example.id} is not")
        trace = follow(segmenter, embedding, example.truth, example.unsure, max_clicks=max_clicks, enough=enough)
        yield _outcome(segmenter, embedding, example, mark, encode_ms, trace), True


def _encoded(segmenter: Segmenter, example: Example) -> tuple[Embedding, float]:
    image = example.photo.read(example.drawn_hw)
    begun = time.perf_counter()
    embedding = segmenter.encode(image)
    return embedding, (time.perf_counter() - begun) * 1e3


def _outcome(
    segmenter: Segmenter, embedding: Embedding, example: Example, mark: str, encode_ms: float | None, trace: Trace
) -> Outcome:
    box_iou, box_best3 = box_ious(segmenter, embedding, example.truth, example.unsure)
    return Outcome(
        object=example.id,
        image=example.photo.name,
        mark=mark,
        iou=trace.iou,
        best3=trace.best3,
        predictions=trace.predictions,
        click_ms=trace.click_ms,
        box_iou=box_iou,
        box_best3=box_best3,
        encode_ms=encode_ms,
    )
