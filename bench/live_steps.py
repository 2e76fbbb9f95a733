"""Where the time of a lone mark and of one connection goes, step by step, on a server of its own.

    python -m bench.live_steps        # writes live-steps.json, which `make bench-docs` takes into the page

The server is `manage.py serve`, in whose process the moments below are noted. A step lasts from one moment to the next,
by the clock, and crosses threads as the mark does. One mark comes at a time, and one connection. The server has a core
to itself, on which it does nothing else meanwhile. To note a moment takes about 0.2 µs.
"""

import argparse
import asyncio
import functools
import inspect
import json
import os
import runpy
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from pkgutil import resolve_name
from statistics import median
from typing import TYPE_CHECKING, Any

from bench import live_steps_table
from bench.cores import for_the_server, keep_off_the_server
from bench.results import FOLDER, Figures, machine, made_by, say, write
from bench.table import columns

if TYPE_CHECKING:
    from bench.fanout import Participants

SOCKETS, MARKS, CONNECTIONS = 10, 400, 400
#: The first so many of each are not counted: the process has never done it before.
WARM_UP = 50

#: What is followed: the moments in order, each as a function and whether it is its beginning or its end.
Moments = Sequence[tuple[str, str]]

MARK: Moments = (
    ("core.server.websocket_protocol.WebSocketProtocol.data_received", "begins"),
    ("attendance.live.events.perform", "begins"),
    ("attendance.live.process.Live.mark", "begins"),
    ("attendance.live.group_commit.GroupCommit.submit", "ends"),
    ("attendance.live.gateway.write", "begins"),
    ("attendance.live.group_commit.commit", "begins"),
    ("attendance.journal.append", "begins"),
    ("attendance.journal.append", "ends"),
    ("core.database.unit_of_work._commit_by_driver", "begins"),
    ("core.database.unit_of_work._commit_by_driver", "ends"),
    ("attendance.live.process.Live._announce", "begins"),
    ("attendance.live.hub.Hub.flush", "begins"),
    ("attendance.live.delivery.Delivery.send", "begins"),
    ("attendance.live.delivery.Delivery.send", "ends"),
)
CONNECTION: Moments = (
    ("core.server.http_protocol.HttpProtocol.connection_made", "begins"),
    ("core.server.websocket_protocol.WebSocketProtocol.open", "begins"),
    ("attendance.live.consumer.SocketConsumer.__call__", "begins"),
    ("attendance.live.connections.Connections.welcome", "begins"),
    ("accounts.tokens.authenticate", "begins"),
    ("accounts.tokens.authenticate", "ends"),
    ("attendance.live.hub.Hub.add", "begins"),
    ("core.server.websocket_protocol.WebSocketProtocol._accept", "begins"),
    ("core.server.websocket_protocol.WebSocketProtocol._accept", "ends"),
)
#: A function that all moments of a kind are taken at, in the order of `live_steps_table`.
KINDS = {"mark": MARK, "connection": CONNECTION}


class Timeline:
    """The moments of what is done again and again; one that comes out of order begins anew, or is nobody's."""

    def __init__(self, count: int) -> None:
        #: Of each that was done wholly: seconds by step.
        self.whole: list[list[float]] = []
        self._count = count
        self._moments: list[float] = []

    def note(self, place: int) -> None:
        """The moment at this place has come."""
        if place == 0:
            self._moments = [time.perf_counter()]
        elif place == len(self._moments):
            self._moments.append(time.perf_counter())
            if place == self._count - 1:
                self.whole.append([end - begin for begin, end in zip(self._moments, self._moments[1:], strict=False)])


def follow(moments: Moments) -> Timeline:
    """From now on the moments are noted, in this process."""
    timeline = Timeline(len(moments))
    for path in dict.fromkeys(path for path, _ in moments):
        places = {when: place for place, (name, when) in enumerate(moments) if name == path}
        owner_path, _, name = path.rpartition(".")
        owner = resolve_name(owner_path)
        setattr(owner, name, _noting(vars(owner)[name], timeline, places.get("begins"), places.get("ends")))
    return timeline


def _noting(work: Callable[..., Any], timeline: Timeline, begins: int | None, ends: int | None) -> Callable[..., Any]:
    @functools.wraps(work)
    def noted(*args: Any, **kwargs: Any) -> Any:
        if begins is not None:
            timeline.note(begins)
        answer = work(*args, **kwargs)
        if ends is not None:
            timeline.note(ends)
        return answer

    if ends is not None and inspect.iscoroutinefunction(work):
        raise ValueError("a coroutine's end is another function's beginning")
    return noted


def serve(result: Path, arguments: list[str]) -> None:
    """`manage.py serve` in this process, followed; what it found is in the file `result` when it has stopped."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_project.settings")
    django.setup()
    timelines = {kind: follow(moments) for kind, moments in KINDS.items()}
    sys.argv = ["manage.py", "serve", *arguments]
    try:
        runpy.run_path("manage.py", run_name="__main__")
    finally:
        result.write_text(json.dumps({kind: timeline.whole for kind, timeline in timelines.items()}))


async def connect(url: str, who: "Participants") -> None:
    """Connections, one after the other, each open until the last."""
    from tests.support.clients import Socket

    for number in range(CONNECTIONS):
        async with Socket(url, who.tokens[number % len(who.tokens)]):
            pass


def measure(result: Path) -> Figures:
    """By kind, the median of each step, µs, and how many were counted."""
    import bench.environment  # noqa: F401  before any model
    from bench import fixtures
    from bench.fanout import fanout

    command = [*for_the_server(), sys.executable, "-m", "bench.live_steps", "--serve", str(result), "--port", "{port}"]
    with fanout() as load, fixtures.databases() as databases:
        database = databases.fresh()
        lesson = fixtures.fill(database, students=30)[0]
        from tests.support.server import Server

        with Server(database, command, LIVE_SESSIONS="single", LIMITS="False") as server:
            say(f"{CONNECTIONS} connections, one after the other …")
            asyncio.run(connect(server.ws_url, lesson.participants))
            say(f"{MARKS} marks, one at a time, heard by {SOCKETS} sockets …")
            load.run(server.port, server.pid, lesson.participants, sockets=SOCKETS, marks=MARKS, gap=2000)
            server.stop()
    found: dict[str, list[list[float]]] = json.loads(result.read_text())
    return {
        kind: {
            "count": len(whole) - WARM_UP,
            "steps": [1e6 * median(step) for step in zip(*whole[WARM_UP:], strict=True)],
        }
        for kind, whole in found.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for the result (default: %(default)s)")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    arguments, others = parser.parse_known_args()
    if arguments.serve:
        serve(arguments.serve, others)
        return 0
    if others:
        parser.error(f"unknown: {' '.join(others)}")
    keep_off_the_server()
    made = made_by("python -m bench.live_steps")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    raw = arguments.folder / "live-steps.moments.json"
    try:
        found = measure(raw)
    finally:
        raw.unlink(missing_ok=True)
    result = {"made": made, "machine": machine(), "sockets": SOCKETS, **found}
    for lines in live_steps_table.tables(result):
        print(f"{columns(lines)}\n")
    print(write(arguments.folder, "live-steps", result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
