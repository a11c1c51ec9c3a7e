"""A crew of processes on this machine, each with one thread and of the lowest priority."""

import itertools
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from core.crew.at_work import packed
from core.crew.protocol import Crew, Given, Item, Outcome, Payload, Result
from core.crew.worker import IN_COMMON
from core.errors import CrewLost

IN_HAND: Final = 2
"""Pieces sent to one worker: the next one is there when it has done one."""
AHEAD: Final = 4
"""Pieces begun for each worker: one that takes long keeps later ones, done already, waiting."""
MOST_DEATHS: Final = 2
"""Workers that may die over one piece."""
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"}


@dataclass(slots=True)
class _Piece:
    """A piece of work: its number, its packed bytes until it is done, how many died over it, what it came to."""

    number: int
    item: Any
    data: bytes = b""
    deaths: int = 0
    outcome: Outcome[Any] | None = None


@dataclass(slots=True)
class _Worker:
    """A process, the way to it, what it was given, and the pieces it has, the one in work first."""

    process: "subprocess.Popen[bytes]"
    connection: "Connection[Any, Any]"
    given: Any = None
    pieces: deque[_Piece] = field(default_factory=deque)


class Processes(Crew):
    """Does pieces in processes of its own, which start when there is work for them and end with this one.

    A worker that dies is replaced, and what it had is done again, once: the second death over one piece ends it all.

    Parameters
    ----------
    size : int
        How many processes at most; a GPU is left to one.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._workers: list[_Worker] = []
        self._numbers = itertools.count(IN_COMMON + 1)
        self._turn = object()

    @property
    def pids(self) -> list[int]:
        """The ids of the processes that there are now."""
        return [worker.process.pid for worker in self._workers]

    def each(
        self,
        task: Callable[[Given, Payload], Result],
        items: Iterable[Item],
        load: Callable[[Item], Payload],
        given: Given,
        *,
        gpu: bool = False,
    ) -> Iterator[tuple[Item, Outcome[Result]]]:
        """Yield each item with what the task came to; see `Crew`."""
        self._drop_busy()
        turn = self._turn = object()
        size = 1 if gpu else self.size
        source, begun, unsent = iter(items), deque[_Piece](), deque[_Piece]()
        try:
            while True:
                while self._has_room(size) and (unsent or self._begin(source, begun, unsent, AHEAD * size)):
                    piece = unsent.popleft()
                    if not piece.data:
                        try:
                            piece.data = packed((task, load(piece.item)))
                        except Exception as error:
                            piece.outcome = Outcome(error=error)
                            continue
                    self._send(self._freest(size), piece, given, unsent)
                if not begun:
                    return
                if begun[0].outcome is None:
                    self._hear(unsent)
                    continue
                piece = begun.popleft()
                yield piece.item, piece.outcome or Outcome()
        finally:
            if self._turn is turn:  # it may be closed late, when the workers have work of another turn
                self._drop_busy()

    def close(self) -> None:
        """Kill the processes: what they had in hand is nobody's any more."""
        while self._workers:
            self._end(self._workers[-1])

    def _begin(self, source: Iterator[Any], begun: deque[_Piece], unsent: deque[_Piece], most: int) -> bool:
        """Begin the next piece, unless too many are begun; return whether there was one."""
        if len(begun) >= most:
            return False
        for item in source:
            piece = _Piece(next(self._numbers), item)
            begun.append(piece)
            unsent.append(piece)
            return True
        return False

    def _has_room(self, size: int) -> bool:
        return len(self._workers) < size or any(len(worker.pieces) < IN_HAND for worker in self._workers[:size])

    def _freest(self, size: int) -> _Worker:
        """Return a worker that has nothing to do, else a new one, else one that can have its next piece already."""
        least = min(self._workers[:size], key=lambda worker: len(worker.pieces), default=None)
        if least is None or (least.pieces and len(self._workers) < size):
            return self._start()
        return least

    def _start(self) -> _Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "core.crew.worker", str(theirs.fileno())],
                cwd=Path(__file__).parents[2],
                env={**os.environ, **_ONE_THREAD},
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        worker = _Worker(process, Connection(ours.detach()))
        self._workers.append(worker)
        return worker

    def _send(self, worker: _Worker, piece: _Piece, given: Any, unsent: deque[_Piece]) -> None:
        worker.pieces.append(piece)
        try:
            if worker.given is not given:
                worker.connection.send((IN_COMMON, packed(given)))
                worker.given = given
            worker.connection.send((piece.number, piece.data))
        except OSError:
            self._bury(worker, unsent)

    def _hear(self, unsent: deque[_Piece]) -> None:
        """Wait until a worker answers or dies."""
        busy = {worker.connection: worker for worker in self._workers if worker.pieces}
        for connection in wait(list(busy)):
            worker = busy[connection]  # type: ignore[index]
            try:
                number, outcome = worker.connection.recv()
            except (EOFError, OSError):
                self._bury(worker, unsent)
                continue
            piece = worker.pieces.popleft()
            if piece.number != number:
                raise AssertionError("a worker answers in the order of what it was sent")
            piece.outcome, piece.data = outcome, b""

    def _bury(self, worker: _Worker, unsent: deque[_Piece]) -> None:
        """Take back what a dead worker had, to be sent to others; the first of it is what it died of."""
        pieces = worker.pieces
        self._end(worker)
        pieces[0].deaths += 1
        if pieces[0].deaths >= MOST_DEATHS:
            raise CrewLost(
                f"a worker must live until its work is done, but {MOST_DEATHS} died over the same piece: killed, or "
                "out of memory; MASKSMITH_WORKERS says how many work at once"
            )
        unsent.extendleft(reversed(pieces))

    def _drop_busy(self) -> None:
        """End the workers whose answers nobody waits for."""
        for worker in [worker for worker in self._workers if worker.pieces]:
            self._end(worker)

    def _end(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.kill()
        worker.process.wait()
