"""What the server counts for Prometheus, which asks for it at /metrics (docs/operations.md explains each).

Without METRICS nothing is counted, and the library is not imported. Several workers count in files of the folder that
they share, so that each of them answers for all: the library's multiprocess mode.
"""

import os
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings

#: The environment variable by which the library knows the folder of the workers' files.
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


class Metric(Protocol):
    """What the project uses of the library's counters, gauges and histograms."""

    def labels(self, *values: str) -> "Metric": ...
    def inc(self, amount: float = 1) -> None: ...
    def dec(self, amount: float = 1) -> None: ...
    def observe(self, amount: float) -> None: ...


class _Uncounted:
    """A metric while nobody may ask for it."""

    def labels(self, *values: str) -> "_Uncounted":
        return self

    def inc(self, amount: float = 1) -> None:
        """Counts nothing."""

    dec = observe = inc


def _metric(kind: str, name: str, what: str, *labels: str, **options: Any) -> Metric:
    if not settings.METRICS:
        return _Uncounted()
    import prometheus_client  # noqa: PLC0415  slow to import, and most servers are not asked

    metric: Metric = getattr(prometheus_client, kind)(f"attendance_{name}", what, labels, **options)
    return metric


#: From a lone mark on a quick disk to a commit that waits for a database that is almost gone, seconds.
_TIMES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

SOCKETS = _metric("Gauge", "sockets", "Sockets that hear of marks.", multiprocess_mode="livesum")
MARKS = _metric("Counter", "marks", "Marks that were committed.")
COMMIT_SECONDS = _metric("Histogram", "commit_seconds", "From a batch's start to its commit.", buckets=_TIMES)
COMMIT_MARKS = _metric("Histogram", "commit_marks", "Marks in a batch.", buckets=(1, 2, 5, 10, 50, 100, 500, 1000))
FANOUT_SECONDS = _metric(
    "Histogram", "fanout_seconds", "From when a fact is known here until all sockets were given it.", buckets=_TIMES
)
GAPS = _metric("Counter", "gaps", "Times that marks lacked here, and were read from the database.")
WAITING = _metric("Gauge", "waiting", "Work that waits for a thread.", "pool", multiprocess_mode="livesum")
REFUSALS = _metric("Counter", "refusals", "Refusals by limits.", "limit")
EVENTS = _metric("Counter", "events", "What clients did that the log names.", "event")


def share(folder: Path) -> None:
    """The processes that this one starts from now on count together, in files of `folder`."""
    if settings.METRICS:
        os.environ[_FOLDER] = str(folder)


def share_no_more() -> None:
    """Ends `share`."""
    os.environ.pop(_FOLDER, None)


def worker_ended(pid: int | None) -> None:
    """Forgets what a worker that is gone had at the moment: its sockets, say. What it counted stays."""
    if _FOLDER in os.environ and pid is not None:
        from prometheus_client import multiprocess  # noqa: PLC0415

        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


def exposition() -> tuple[bytes, str]:
    """All metrics, of all workers, in Prometheus' text format, and the content type of that. Only with METRICS."""
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = REGISTRY
    if _FOLDER in os.environ:
        from prometheus_client import multiprocess  # noqa: PLC0415

        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
