"""`masksmith check`: every automatic check on every accepted mask."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from cli.screen import AsJson, console, opened_library, print_json, progress_bar, say
from core import checking
from core.crew.chosen import crew_of
from storage.rows import AnswersRow


def check_command(
    all_flags: Annotated[bool, typer.Option("--all", help="Count flags that annotators have answered too.")] = False,
    precision: Annotated[
        bool,
        typer.Option("--precision", help="Check nothing; say what annotators and reviewers made of the flags so far."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at every accepted mask again, keep the flags that are new, and count those that stand."""
    with opened_library() as library, progress_bar(hidden=as_json) as bar:
        if precision:
            _show_precision(checking.precision(library), as_json=as_json)
            return
        task = bar.add_task("Checking", total=None)
        with crew_of(library.settings) as crew:
            report = checking.check_library(
                library,
                answered=all_flags,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
                crew=crew,
            )
    if as_json:
        print_json(asdict(report))
        return
    if report.tallies:
        table = Table("Flag", "Severity", "Count", box=None)
        for tally in report.tallies:
            table.add_row(tally.name, tally.severity, str(tally.count))
        console.print(table)
    say(report.sentence())


def _show_precision(rows: list[AnswersRow], *, as_json: bool) -> None:
    if as_json:
        print_json({"precision": [asdict(row) for row in rows]})
        return
    if not rows:
        say("No flag has been said yet.")
        return
    table = Table("Flag", "Said", "Mended", "Kept", "Mask deleted", "Reviewed", "Not approved", box=None)
    for row in rows:
        table.add_row(row.name, *map(str, (row.said, row.upheld, row.refused, row.deleted, row.reviewed, row.faulted)))
    console.print(table)
