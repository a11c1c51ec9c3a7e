"""What the tests let crews do: functions of a module, as every task must be."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import InvalidInput, TooManyAttempts


def times(factor: int, number: int) -> int:
    return factor * number


def fails(_given: None, number: int) -> int:
    if number == 1:
        raise InvalidInput("the number must not be 1, got 1")
    if number == 2:
        raise ZeroDivisionError("nobody foresaw this")
    if number == 3:
        raise TooManyAttempts("an error that pickle cannot make anew", 1.0)
    return number


def waits(folder: str, number: int) -> int:
    """Wait until the test lets this number go."""
    while not (Path(folder) / str(number)).exists():
        pass
    return number


def dies_once(folder: str, number: int) -> int:
    """Be killed over number 2, unless somebody was before."""
    died = Path(folder) / "died"
    if number == 2 and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def dies(_given: None, number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def where(_given: None, _number: int) -> dict[str, Any]:
    """Return in which process it is, and how that runs."""
    return {
        "pid": os.getpid(),
        "nice": os.nice(0),
        "policy": os.sched_getscheduler(0),
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }


class Noted:
    """A value that notes, in a file, each process that it is unpacked in."""

    def __init__(self, notes: str) -> None:
        self.notes = notes

    def __reduce__(self) -> tuple[Callable[[str], "Noted"], tuple[str]]:
        return _noting, (self.notes,)


def _noting(notes: str) -> Noted:
    with Path(notes).open("a") as file:
        file.write(f"{os.getpid()}\n")
    return Noted(notes)


def process(_given: Noted, _number: int) -> int:
    return os.getpid()


class Odd:
    """What cannot be made anew where it is unpacked."""

    def __reduce__(self) -> tuple[Callable[[], "Odd"], tuple[()]]:
        return _refused, ()


def _refused() -> Odd:
    raise InvalidInput("a worker must be able to unpack this, but cannot")
