"""`masksmith coverage`: what is left on each image, by the model's guess; or how good its guesses are."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.screen import AsJson, opened_library, print_json, progress_bar, say, sentences
from core import balancing
from core.crew.chosen import crew_of
from core.errors import InvalidInput
from core.paging import check_limit
from core.segmentation.catalogue import DEFAULT, NAMES, load_segmenter
from core.settings import from_environment
from core.workshop import chosen_spec


def coverage_command(
    limit: Annotated[int | None, typer.Option("--limit", help="So many images at most.", show_default=False)] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", help="Survey nothing; say how many known objects of a data set are found."),
    ] = None,
    half: Annotated[
        str, typer.Option("--half", help="all; first or second: of each two images of the data set only that one.")
    ] = "all",
    model: Annotated[str, typer.Option("--model", help=f"With --dataset: {', '.join(NAMES)}.")] = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Survey the images that have no fresh survey: what the model finds that no mask covers. Run it again to go on."""
    if dataset is not None:
        _measure(dataset, half, model, limit, as_json=as_json)
        return
    from core.covering import survey_library  # torch takes seconds to load

    with opened_library() as library, progress_bar(hidden=as_json) as bar:
        check_limit(limit)
        task = bar.add_task("Surveying", total=None)
        spec = chosen_spec(library)
        segmenter = load_segmenter(spec)
        with crew_of(library.settings) as crew:
            report = survey_library(
                library,
                segmenter,
                limit=limit,
                report=lambda done, total: bar.update(task, completed=done, total=total),
                crew=crew,
            )
        balancing.arrange(library)
        found = balancing.totals(library)
    if as_json:
        print_json({**asdict(report), "totals": asdict(found)})
        return
    say(report.sentence())
    for image_id, reason in report.failed:
        say(f"  image {image_id}: {reason}")


def _measure(dataset: str, half: str, model: str, limit: int | None, *, as_json: bool) -> None:
    from core.measuring_coverage import HALVES, measure

    with sentences(), progress_bar(hidden=as_json) as bar:
        if half not in HALVES:
            raise InvalidInput(f"a half must be one of {', '.join(HALVES)}, got {half!r}")
        task = bar.add_task("Measuring", total=None)
        found = measure(
            from_environment(),
            Path(dataset).expanduser(),
            model=model,
            half=half,
            limit=limit,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    document: dict[str, Any] = asdict(found)
    if as_json:
        print_json(document)
        return
    recall, precision = found.recall, found.precision
    say(f"{found.dataset}: {found.objects} objects on {found.images} images, {found.proposals} proposals.")
    say(f"Objects found (recall at IoU 0.5): {recall.mean:.3f} ({recall.low:.3f} to {recall.high:.3f})")
    say(f"Proposals that are true:           {precision.mean:.3f} ({precision.low:.3f} to {precision.high:.3f})")
    say(f"Seconds an image, median:          {found.seconds:.2f}")
