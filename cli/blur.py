"""`masksmith blur`: search the photos that are in the library for faces and number plates, and blur them."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.screen import AsJson, opened_library, print_json, progress_bar, say
from core.crew.chosen import crew_of
from core.projects import enter, settings
from core.searching import search_library


def blur_command(
    project: Annotated[
        int | None, typer.Option("--project", help="Its number; the first one if not given.", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="So many images at most.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Blur faces and number plates on images that were not searched yet. Run it again to go on after a break."""
    with opened_library() as library, progress_bar(hidden=as_json) as bar:
        if project is not None:
            library = enter(library, project)
        task = bar.add_task("Searching", total=None)
        with crew_of(library.settings) as crew:
            report = search_library(
                library,
                limit=limit,
                report=lambda done, total: bar.update(task, completed=done, total=total),
                crew=crew,
            )
        goes_on = settings(library).blur
    if as_json:
        print_json({**asdict(report), "imports": goes_on})
        return
    say(report.sentence())
    for image_id, reason in report.failed:
        say(f"  image {image_id}: {reason}")
    if not goes_on:
        say("The project's setting is off: photos that are imported from now on are not blurred.")
