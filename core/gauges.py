"""What a running server can say of itself in numbers: work that waits, caches, masks, memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import psutil

from core.errors import FORESEEN
from core.workshop import Workshop
from storage import jobs, masks, tallies


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number, or several told apart by labels, and what it means."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    values: tuple[tuple[Mapping[str, str], float], ...]


def gauges(shop: Workshop) -> list[Gauge]:
    """Return every number; those of a database that does not answer are left out, and it is said to be down."""
    desk, cache = shop.desk, shop.desk.cache
    found = [
        _by("prompts_total", "counter", "Prompts answered.", "kind", desk.answered),
        _one("prompts_waiting", "gauge", "Prompts that wait for a thread to decode them.", desk.waiting),
        _one("encodings_waiting", "gauge", "Images that wait for their turn to be encoded.", desk.encodings_waiting),
        _one("embedding_cache_bytes", "gauge", "Memory that embeddings take.", cache.memory_bytes),
        _one("candidate_bytes", "gauge", "Memory that candidates which can be refined take.", desk.candidate_bytes),
        _by("embedding_cache_requests_total", "counter", "Embeddings by where they were.", "found", cache.found),
        *_process(),
    ]
    try:
        return [*found, *_kept(shop), _one("database_up", "gauge", "Whether the database answers.", 1)]
    except FORESEEN:
        return [*found, _one("database_up", "gauge", "Whether the database answers.", 0)]


def _kept(shop: Workshop) -> list[Gauge]:
    with shop.engines.reading() as session:
        saved, standing = masks.newest_id(session=session), tallies.total(session=session)
        waiting = jobs.open_by_state(session=session)
    return [
        _one("masks_saved_total", "counter", "Masks ever saved, imported and deleted ones too.", saved),
        _one("masks", "gauge", "Accepted masks that stand, of all projects.", standing),
        _by("jobs", "gauge", "Jobs that wait or run.", "state", waiting),
    ]


def _process() -> list[Gauge]:
    """Return what Prometheus' own clients tell of a process, under the names they give it."""
    process = psutil.Process()
    with process.oneshot():
        spent = process.cpu_times()
        told: list[tuple[str, Literal["counter", "gauge"], str, float]] = [
            ("resident_memory_bytes", "gauge", "Memory of the server.", process.memory_info().rss),
            ("cpu_seconds_total", "counter", "Time of a core that the server took.", spent.user + spent.system),
            ("start_time_seconds", "gauge", "When the server started, in seconds since 1970.", process.create_time()),
            ("open_fds", "gauge", "Files and sockets that are open.", process.num_fds()),
        ]
    return [Gauge(f"process_{name}", kind, text, (({}, value),)) for name, kind, text, value in told]


def _one(name: str, kind: Literal["counter", "gauge"], text: str, value: float) -> Gauge:
    return Gauge(f"masksmith_{name}", kind, text, (({}, value),))


def _by(name: str, kind: Literal["counter", "gauge"], text: str, label: str, values: Mapping[str, float]) -> Gauge:
    return Gauge(f"masksmith_{name}", kind, text, tuple(({label: key}, value) for key, value in values.items()))
