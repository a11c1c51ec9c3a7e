"""`masksmith encode`: encode the library ahead, so that no image waits when it is opened."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.screen import AsJson, opened_library, print_json, progress_bar, say
from core.crew.chosen import crew_of
from core.paging import check_limit
from core.projects import enter
from core.segmentation.catalogue import load_segmenter
from core.workshop import chosen_spec


def encode_command(
    project: Annotated[
        int | None, typer.Option("--project", help="Its number; the first one if not given.", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="So many images at most.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Encode the images that have no embedding by the model that answers. Run it again to go on after a break."""
    from core.encoding import encode_library  # torch takes seconds to load

    with opened_library() as library, progress_bar(hidden=as_json) as bar:
        check_limit(limit)
        if project is not None:
            library = enter(library, project)
        task = bar.add_task("Encoding", total=None)
        segmenter = load_segmenter(chosen_spec(library))
        with crew_of(library.settings) as crew:
            report = encode_library(
                library,
                segmenter,
                limit=limit,
                report=lambda done, total: bar.update(task, completed=done, total=total),
                crew=crew,
            )
    if as_json:
        print_json(asdict(report))
        return
    say(report.sentence())
    for image_id, reason in report.failed:
        say(f"  image {image_id}: {reason}")
