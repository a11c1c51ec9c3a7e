"""A crew on a Ray cluster. Nothing else in the app imports ray, which is an extra: pip install 'masksmith[ray]'."""

import contextlib
import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from core.crew.at_work import done, packed, unpacked
from core.crew.protocol import Crew, Given, Item, Outcome, Payload, Result
from core.errors import CrewLost, CrewUnavailable

IN_HAND: Final = 2
"""Pieces in the cluster's hands for each of its CPUs."""
RETRIES: Final = 1
"""How often Ray gives a piece to another worker when one died over it."""
CONNECT_S: Final = 5.0
_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else Ray tells its makers that it runs
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
Handler = Callable[[int, FrameType | None], Any] | int | None


@dataclass(slots=True)
class _Piece:
    """A piece of work: the item, and where Ray will put what it comes to; or what it came to before it was sent."""

    item: Any
    ref: Any = None
    outcome: Outcome[Any] | None = None


class RayCrew(Crew):
    """Does pieces as Ray tasks of one CPU each (and one GPU where one is needed), as many at once as the cluster has.

    Parameters
    ----------
    address : str
        "auto" for the cluster this machine belongs to, HOST:PORT for a named one, "local" for one that is started
        here, with this machine's CPUs, and ends with the crew.

    Raises
    ------
    CrewUnavailable
        If ray is not installed, or no cluster answers there.
    """

    def __init__(self, address: str) -> None:
        os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
        _check_address(address)
        with _own_sigterm():
            self._ray = _imported()
            self._ours = not self._ray.is_initialized()
            if self._ours:
                self._connect(address)
        self._work = self._ray.remote(num_cpus=1, max_retries=RETRIES)(_work)

    def _connect(self, address: str) -> None:
        options = {"include_dashboard": False} if address == "local" else {}
        try:
            self._ray.init(
                address=address, namespace="masksmith", log_to_driver=False, logging_level="warning", **options
            )
        except (ConnectionError, RuntimeError, ValueError, AssertionError) as error:
            raise CrewUnavailable(_unreachable(address, error)) from error

    @property
    def size(self) -> int:
        """How many CPUs the cluster has now."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

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
        in_common = self._ray.put(packed(given))
        work = self._work.options(num_gpus=1) if gpu else self._work
        source, begun = iter(items), deque[_Piece]()
        try:
            while True:
                most = IN_HAND * self.size
                while len(begun) < most:
                    piece = next((_Piece(item) for item in source), None)
                    if piece is None:
                        break
                    begun.append(piece)
                    try:
                        # In a list, Ray hands over where it is: only a worker that has not got it yet fetches it.
                        piece.ref = work.remote([in_common], packed((task, load(piece.item))))
                    except Exception as error:
                        piece.outcome = Outcome(error=error)
                if not begun:
                    return
                piece = begun[0]
                outcome = piece.outcome or self._outcome(piece.ref)
                begun.popleft()
                yield piece.item, outcome
        finally:
            for piece in begun:
                if piece.ref is not None:
                    with contextlib.suppress(self._ray.exceptions.RayError):
                        self._ray.cancel(piece.ref)

    def _outcome(self, ref: Any) -> Outcome[Any]:
        try:
            outcome: Outcome[Any] = self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            raise CrewLost(
                f"a worker must live until its work is done, but {RETRIES + 1} died over the same piece, or the "
                f"cluster was lost ({type(error).__name__}); Ray's log says more"
            ) from error
        return outcome

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        if self._ours:
            with _own_sigterm():
                self._ray.shutdown()


_held: tuple[str, Outcome[Any]] = ("", Outcome())
"""In a worker: what the pieces done last have in common, and by which name."""


def _work(in_common: list[Any], data: bytes) -> Outcome[Any]:
    """Do a piece in a worker of the cluster."""
    global _held
    (ref,) = in_common
    if _held[0] != ref.hex():
        _held = (ref.hex(), unpacked(_imported().get(ref)))
    return done(_held[1], data)


def _imported() -> Any:
    try:
        import ray
    except ImportError as error:
        raise CrewUnavailable(
            "MASKSMITH_RAY needs ray, which is not installed; pip install 'masksmith[ray]' does it"
        ) from error
    return ray


def _check_address(address: str) -> None:
    """Knock, where the address says at which door: Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    if not host:
        if address not in ("auto", "local"):
            raise CrewUnavailable(f"MASKSMITH_RAY must be auto, local or HOST:PORT, got {address[:80]!r}")
        return
    try:
        socket.create_connection((host, int(port)), CONNECT_S).close()
    except (OSError, ValueError, OverflowError) as error:
        raise CrewUnavailable(_unreachable(address, error)) from error


def _unreachable(address: str, error: Exception) -> str:
    return (
        f"a Ray cluster must answer at MASKSMITH_RAY={address}, but none does ({type(error).__name__}); one that asks "
        "for a token answers with RAY_AUTH_MODE=token"
    )


@contextlib.contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keep what this process does on SIGTERM: Ray puts a way of its own in the place of others'."""
    before: Handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
