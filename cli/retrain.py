"""`masksmith retrain`: a new version of the model, from what was accepted."""

from typing import Annotated, Any

import typer
from rich.progress import TaskID

from cli.screen import AsJson, opened_library, print_json, progress_bar, say
from core import jobs
from core.errors import InvalidInput
from core.training.recipe import Recipe
from core.versions import get
from storage.rows import ModelVersionRow


def retrain_command(
    epochs: Annotated[int, typer.Option("--epochs", help="How often each mask is learned from.")] = Recipe().epochs,
    seed: Annotated[int, typer.Option("--seed", help="Of the choice of masks and of the clicks.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Retrain the model that answers on accepted masks, and measure the new version beside it; it is not promoted."""
    from core import job_process  # torch takes seconds to load
    from core.retraining import Progress

    with opened_library() as library, progress_bar(hidden=as_json) as bar:
        if not 1 <= epochs <= 100:
            raise InvalidInput(f"the epochs must be 1 to 100, got {epochs}")
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bar.add_task(progress.stage, total=1000)
            bar.update(tasks[progress.stage], completed=round(1000 * progress.share))

        job = job_process.work(library, jobs.begin(library, Recipe(epochs=epochs, seed=seed), start=False), show)
        version = get(library, job.progress["version_id"]) if job.state == "done" else None
    if version is None:
        say(job.message or f"The retraining was {job.state}.")
        raise typer.Exit(1)
    if as_json:
        print_json(as_document(version))
    else:
        _show(version)


def as_document(version: ModelVersionRow) -> dict[str, Any]:
    """Return a version as programs get it."""
    return {"version": version.id, "content_hash": version.content_hash, "parent": version.parent_id, **version.detail}


def _show(version: ModelVersionRow) -> None:
    detail = version.detail
    trained, holdout, verdict = detail["trained"], detail["holdout"], detail["verdict"]
    say(f"Version {version.id}: learned from {trained['masks']} new and {trained['older']} older masks.")
    say(
        f"On {holdout['objects']} masks of {holdout['images']} kept images it is {verdict['kind']}: "
        f"{verdict['reason']}."
    )
    if detail["saving"]:
        clicks = detail["saving"]["clicks"]
        say(f"Expected to save {clicks['mean']:.2f} prompts a mask ({clicks['low']:.2f} to {clicks['high']:.2f}).")
    say(f"`masksmith models promote {version.id}` lets it answer from the next start on.")
