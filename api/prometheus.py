"""What Prometheus reads: counters and a histogram of requests, and a writer of its text format."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from core.gauges import Gauge

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Requests:
    """How many requests were answered, and how fast; threads may count at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: Counter[tuple[str, str, int]] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        with self._lock:
            self._answered[method, route, status] += 1
            buckets = self._buckets.setdefault(route, [0] * (len(BUCKETS_S) + 1))
            buckets[bisect_left(BUCKETS_S, seconds)] += 1
            self._seconds[route] += seconds  # type: ignore[assignment]

    def lines(self) -> Iterator[str]:
        """Yield what was counted in Prometheus' text format."""
        with self._lock:
            answered, seconds = dict(self._answered), dict(self._seconds)
            buckets = {route: list(counts) for route, counts in self._buckets.items()}
        yield from _head("masksmith_requests_total", "counter", "Requests answered.")
        for (method, route, status), value in sorted(answered.items()):
            yield _line("masksmith_requests_total", {"method": method, "route": route, "status": str(status)}, value)
        name = "masksmith_request_seconds"
        yield from _head(name, "histogram", "Time from a request's head to the last byte of its answer.")
        for route, counts in sorted(buckets.items()):
            for bound, total in zip((*map(str, BUCKETS_S), "+Inf"), accumulate(counts), strict=True):
                yield _line(f"{name}_bucket", {"route": route, "le": bound}, total)
            yield _line(f"{name}_sum", {"route": route}, seconds[route])
            yield _line(f"{name}_count", {"route": route}, sum(counts))


def document(requests: Requests, gauges: Iterable[Gauge]) -> str:
    """Return the whole text."""
    lines = list(requests.lines())
    for gauge in gauges:
        lines += _head(gauge.name, gauge.kind, gauge.help)
        lines += [_line(gauge.name, labels, value) for labels, value in gauge.values]
    return "\n".join(lines) + "\n"


def _head(name: str, kind: str, explained: str) -> tuple[str, str]:
    return f"# HELP {name} {explained}", f"# TYPE {name} {kind}"


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{shown}}} {value:.15g}" if shown else f"{name} {value:.15g}"


def _escaped(text: str) -> str:
    """Return a label's value as the format wants it.

    Examples
    --------
    >>> print(_escaped('a "b" \\\\ c'))
    a \\"b\\" \\\\ c
    """
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
