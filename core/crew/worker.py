"""A worker of the local crew: a process that takes orders from the one that started it, and ends with it.

    python -m core.crew.worker DESCRIPTOR

The descriptor is one end of a pair of sockets. Orders are (number, packed bytes); number 0 brings what all that
follow have in common. Each other order is answered with (number, outcome).
"""

import logging
import os
import queue
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any, Final

from core.crew.at_work import done, unpacked
from core.crew.protocol import Outcome

NICE: Final = 15
IN_COMMON: Final = 0


def give_way() -> None:
    """Let people's clicks go first: this process runs where nothing else wants to."""
    os.nice(NICE)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def main() -> None:
    """Take orders until whoever gave them is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the process that gives orders; it ends this one
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    give_way()
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    orders = queue.Queue[tuple[int, bytes]]()
    threading.Thread(target=_listen, args=(connection, orders), daemon=True).start()
    given: Outcome[Any] = Outcome()
    while True:
        number, data = orders.get()
        if number == IN_COMMON:
            given = unpacked(data)
        else:
            _answer(connection, number, done(given, data))


def _listen(connection: "Connection[Any, Any]", orders: "queue.Queue[tuple[int, bytes]]") -> None:
    """Take orders in at once, so that whoever sends one need not wait; end the process when no more can come.

    That is also how a worker ends whose job was killed, in the middle of its work.
    """
    while True:
        try:
            orders.put(connection.recv())
        except (EOFError, OSError):
            os._exit(0)


def _answer(connection: "Connection[Any, Any]", number: int, outcome: Outcome[Any]) -> None:
    try:
        connection.send((number, outcome))
    except OSError:
        os._exit(0)  # nobody wants to know


if __name__ == "__main__":
    main()
