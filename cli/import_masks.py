"""`masksmith import-masks`: masks of other tools, to be kept, fixed or deleted."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.screen import AsJson, opened_library, print_json, progress_bar, say
from core.importing_masks import MASK_FORMATS, import_masks


def import_masks_command(
    path: Annotated[Path, typer.Argument(help="A file, a folder, or a zip file of one.")],
    format: Annotated[str, typer.Option("--format", help=f"{', '.join(MASK_FORMATS)}.")],
    images: Annotated[
        Path | None, typer.Option("--images", help="A folder of the photos; those the library lacks are imported.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take masks of other tools into the library; they wait until somebody keeps, fixes or deletes them."""
    with opened_library() as library, progress_bar(hidden=as_json) as bar:
        task = bar.add_task("Importing masks", total=None)
        report = import_masks(
            library,
            path,
            format=format,
            photos=images,
            progress=lambda done, _name: bar.update(task, completed=done),
        )
    if as_json:
        print_json(asdict(report))
    else:
        say(report.sentence())
        for reason in report.reasons:
            say(f"  {reason}")
    if report.stopped:
        raise typer.Exit(1)
