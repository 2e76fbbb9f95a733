"""Opens many requests that never become whole, and asks whether the server ends them and still answers others.

`python -m tests.programs.slow_requests --connections 500` (or `make slow-requests`). Of five connections one says
nothing, one stops within its headers, one in its body, and two send a byte a second: of headers, of a body. All must be
closed by the server within 30 seconds, and all the while `/healthz` must answer in less than 200 ms.
"""

import argparse
import asyncio
import contextlib
import sys
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection

import httpx

import tests.support.environment  # noqa: F401  sets Django up, so it comes first
from tests.support.database import databases_of_a_run
from tests.support.server import Server

#: All are closed by then, seconds.
CLOSED_WITHIN = 30.0
#: `/healthz` answers sooner than this, seconds.
HEALTHY_WITHIN = 0.2
#: Between two bytes of those that send on, and between two looks at `/healthz`, seconds.
BYTE_INTERVAL, LOOK_INTERVAL = 1.0, 0.05

_HEAD = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_BODY = _HEAD + b"Content-Length: 1000\r\n\r\n" + b'{"email":"'
_HANDSHAKE = b"GET /ws?token=x HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#: What is sent at first, and whether more follows, byte by byte.
KINDS = [(b"", False), (_HANDSHAKE, False), (_BODY, False), (_HEAD + b"X-Slow: ", True), (_BODY, True)]


@dataclass
class Report:
    """What became of the connections, seconds."""

    closed_after: list[float] = field(default_factory=list)
    still_open: int = 0
    #: By the first line of what they were answered.
    answers: dict[str, int] = field(default_factory=dict)
    health: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        answers = ", ".join(f"{count} {line or 'without a word'}" for line, count in sorted(self.answers.items()))
        return (
            f"{len(self.closed_after)} closed after {min(self.closed_after, default=0):.1f} to "
            f"{max(self.closed_after, default=0):.1f} s ({answers}), {self.still_open} still open; /healthz "
            f"{len(self.health)} times, slowest {max(self.health) * 1000:.0f} ms"
        )


async def _linger(port: int, number: int, report: Report) -> None:
    opening, goes_on = KINDS[number % len(KINDS)]
    began = time.monotonic()  # before the server's clock begins
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with contextlib.suppress(ConnectionError):
        writer.write(opening)
        while time.monotonic() - began < CLOSED_WITHIN:
            try:
                chunk = await asyncio.wait_for(reader.read(4096), BYTE_INTERVAL)
            except TimeoutError:
                if goes_on:
                    writer.write(b"x")
                continue
            answer += chunk
            if not chunk:
                break
        else:
            report.still_open += 1
            writer.close()
            return
    report.closed_after.append(time.monotonic() - began)
    line = answer.partition(b"\r\n")[0].decode()
    report.answers[line] = report.answers.get(line, 0) + 1
    writer.close()


def _watch_health(server: Server, report: Report, enough: threading.Event) -> None:
    """In a thread of its own: the event loop that has all the slow connections would be measured besides."""
    with contextlib.closing(HTTPConnection("127.0.0.1", server.port, timeout=CLOSED_WITHIN)) as connection:
        while not enough.wait(LOOK_INTERVAL):
            began = time.monotonic()
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
            report.health.append(time.monotonic() - began)
            assert answer.status == 200


async def run(server: Server, connections: int) -> Report:
    """Opens the connections and waits until all are closed, or CLOSED_WITHIN is over."""
    report = Report()
    enough = threading.Event()
    httpx.get(f"{server.url}/healthz")  # the first request loads what later ones find
    watching = asyncio.create_task(asyncio.to_thread(_watch_health, server, report, enough))
    try:
        await asyncio.gather(*(_linger(server.port, number, report) for number in range(connections)))
    finally:
        enough.set()
        await watching
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=500, help="how many (default: %(default)s)")
    connections = parser.parse_args().connections
    with databases_of_a_run() as databases, Server(databases.fresh()) as server:
        report = asyncio.run(run(server, connections))
        server.assert_clean()
    print(report)
    return 1 if report.still_open or max(report.health) >= HEALTHY_WITHIN else 0


if __name__ == "__main__":
    sys.exit(main())
