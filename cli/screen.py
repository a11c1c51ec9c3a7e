"""What the commands share: sentences, JSON, progress bars, and the library they work on."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from core.errors import FORESEEN
from core.settings import from_environment
from core.workshop import Library, open_library

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
console = Console()


@contextmanager
def sentences() -> Iterator[None]:
    """Let a foreseen error end the command with its sentence."""
    try:
        yield
    except FORESEEN as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


@contextmanager
def opened_library() -> Iterator[Library]:
    """Yield the library of MASKSMITH_DATA. Sample photos come with the server's first start, not from here."""
    with sentences():
        library = open_library(from_environment(), samples=False)
        try:
            yield library
        finally:
            library.close()


def say(text: str) -> None:
    """Print a line as it is; a terminal may wrap it, a pipe gets it whole."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    sys.stdout.write(json.dumps(value) + "\n")


def progress_bar(*, hidden: bool) -> Progress:
    """Return a bar that counts; it shows on a terminal only, and leaves nothing behind."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, disable=hidden or not console.is_terminal, transient=True)
