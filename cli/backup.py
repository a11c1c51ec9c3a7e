"""`masksmith backup` and `masksmith restore`: the whole library as a folder, while people work in it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.screen import AsJson, print_json, progress_bar, say, sentences
from core import backup, restoring
from core.settings import from_environment


def backup_command(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder, or an older backup to add to.")],
    as_json: AsJson = False,
) -> None:
    """Copy the library while people work in it, check the copy, and say what it holds."""
    with sentences(), progress_bar(hidden=as_json) as bar:
        task = bar.add_task("Copying", total=None)
        report = backup.back_up(
            from_environment(), folder, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    if as_json:
        print_json(asdict(report))
    else:
        say(report.sentence())
    if report.missing:
        raise typer.Exit(1)


def restore_command(
    folder: Annotated[Path, typer.Argument(help="A backup.")],
    data: Annotated[Path, typer.Option("--data", help="A new or empty folder, which becomes the library.")],
    as_json: AsJson = False,
) -> None:
    """Make a library of a backup, once every hash in it is right."""
    with sentences(), progress_bar(hidden=as_json) as bar:
        task = bar.add_task("Restoring", total=None)
        report = restoring.restore(
            folder, data, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    if as_json:
        print_json(asdict(report))
    else:
        say(report.sentence())
