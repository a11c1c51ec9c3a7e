"""`masksmith migrate-to`: the library's database copied into another one."""

from dataclasses import asdict
from typing import Annotated

import typer

from cli.screen import AsJson, opened_library, print_json, progress_bar, say
from core.moving import move_to


def migrate_to_command(
    url: Annotated[
        str, typer.Argument(help="The address of an empty database, as DATABASE_URL has it: postgresql+psycopg://...")
    ],
    as_json: AsJson = False,
) -> None:
    """Copy the whole database into an empty one, compare, and say what to do next; files stay where they are.

    Stop the server first: what it saves meanwhile is not copied.
    """
    with opened_library() as library, progress_bar(hidden=as_json) as bar:
        task = bar.add_task("Copying", total=None)
        moved = move_to(library, url, progress=lambda done, total: bar.update(task, completed=done, total=total))
    if as_json:
        print_json({"rows": moved.rows, **asdict(moved)})
    else:
        say(moved.sentence())
