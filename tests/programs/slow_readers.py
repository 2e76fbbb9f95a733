"""Sockets that read nothing, among others that read everything, under many marks: what they cost, and when they go.

`python -m tests.programs.slow_readers --seconds 60` (or `make slow-readers`); with `--lan` over TLS. One teacher marks
500 times a second. 20 sockets stall at once: the server must close each within 20 s, and its memory may grow by 2 MiB
for each, everything else that grows meanwhile counted in. Two more stall on which nothing is to be heard. After
70 s all of them read again, and must find live data or the end. Five others must hear every mark, in order.
"""

import argparse
import asyncio
import contextlib
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.realtime.contract import marked
from tests.support.clients import UNLIMITED, Api, Person, Room, Socket
from tests.support.database import databases_of_a_run
from tests.support.lan import LanServer
from tests.support.server import Server

STALLED, SILENT, LISTENERS = 20, 2, 5
MARKS_A_SECOND = 500
#: Between two handfuls of marks, and between two looks at the server, seconds.
INTERVAL = 0.1
CLOSED_WITHIN = 20.0
MEMORY_EACH = 2 * 1024 * 1024
STALLED_FOR = 70.0
#: Who reads again hears something by then, seconds.
ANSWER_LIMIT = 15.0


@dataclass
class Report:
    #: When the server closed each stalled socket, seconds after it began to stall.
    closed_after: list[float] = field(default_factory=list)
    #: How much more memory the server had at most while any of them was open, bytes.
    growth: int = 0
    marks: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.marks} marks; {len(self.closed_after)} of {STALLED} stalled sockets closed after "
            f"{min(self.closed_after, default=0):.1f} to {max(self.closed_after, default=0):.1f} s; memory grew by "
            f"{self.growth / STALLED / 1024 / 1024:.2f} MiB for each; faults: {len(self.faults)}"
        )


class Raw:
    """A WebSocket that reads only when told to, with the kernel's usual room."""

    def __init__(self, server: Server, person: Person) -> None:
        self.plug = socket.create_connection(("127.0.0.1", server.port), timeout=ANSWER_LIMIT)
        if isinstance(server, LanServer):
            self.plug = server.trust.wrap_socket(self.plug, server_hostname="127.0.0.1")
        self.plug.sendall(
            f"GET /ws?token={person.token} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self.plug.recv(1)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        self.port: int = self.plug.getsockname()[1]

    def ended(self) -> bool:
        """Reads what there is; whether that ended. Blocks for ANSWER_LIMIT if it does not."""
        try:
            while self.plug.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True


def held(server: Server) -> set[int]:
    """The clients' ports of the connections that the server holds. One that it has let go of has no inode."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {
        int(row[2].rpartition(":")[2], 16)
        for row in rows
        if int(row[1].rpartition(":")[2], 16) == server.port and row[9] != "0"
    }


def memory(server: Server) -> int:
    """The server's resident memory, bytes."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


async def _watch(server: Server, stalled: list[Raw], report: Report) -> None:
    began, before = time.monotonic(), memory(server)
    waiting = {raw.port for raw in stalled}
    while waiting:
        report.growth = max(report.growth, memory(server) - before)
        gone = waiting - held(server)
        report.closed_after += [time.monotonic() - began] * len(gone)
        waiting -= gone
        await asyncio.sleep(INTERVAL)


async def _mark(teacher: Socket, room: Room, seconds: float, report: Report) -> None:
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        while report.marks < passed * MARKS_A_SECOND:
            await teacher.mark(room.students[report.marks % 2].id)
            report.marks += 1
        await asyncio.sleep(INTERVAL)


async def _listen(listener: Socket, room: Room, report: Report, marking: "asyncio.Task[None]") -> None:
    heard = 0
    while not marking.done() or heard < report.marks:
        if heard == report.marks:  # no frame is due, and after the last mark none will ever be
            await asyncio.sleep(INTERVAL)
            continue
        if await listener.frame() != marked(room.students[heard % 2].id):
            report.faults.append(f"a listener heard something else than mark {heard}")
            return
        heard += 1


async def run(server: Server, api: Api, seconds: float) -> Report:
    """`server` has a live session for each class."""
    report = Report()
    tls = {"ssl": server.trust} if isinstance(server, LanServer) else {}
    room = api.make_room(2)
    outsider = api.signup("student")
    async with contextlib.AsyncExitStack() as stack:
        teacher = await stack.enter_async_context(Socket(server.ws_url, room.teacher.token, **UNLIMITED, **tls))
        listeners = [
            await stack.enter_async_context(Socket(server.ws_url, room.students[0].token, **tls))
            for _ in range(LISTENERS)
        ]
        silent = [Raw(server, outsider) for _ in range(SILENT)]
        stalled = [Raw(server, room.students[1]) for _ in range(STALLED)]
        began = time.monotonic()
        watching = asyncio.create_task(_watch(server, stalled, report))
        marking = asyncio.create_task(_mark(teacher, room, seconds, report))
        await asyncio.gather(*(_listen(socket, room, report, marking) for socket in [teacher, *listeners]))
        await asyncio.sleep(max(began + STALLED_FOR - time.monotonic(), 0))
        watching.cancel()
        for raw in stalled + silent:
            if not await asyncio.to_thread(raw.ended) and raw.port in held(server):
                await teacher.mark(room.students[0].id)
                if raw in silent or not await asyncio.to_thread(raw.plug.recv, 1):
                    report.faults.append("a socket that read again found silence")
            raw.plug.close()
    if len(report.closed_after) < STALLED or max(report.closed_after) > CLOSED_WITHIN:
        report.faults.append(f"not all stalled sockets were closed within {CLOSED_WITHIN:.0f} s")
    if report.growth > STALLED * MEMORY_EACH:
        report.faults.append("stalled sockets cost too much memory")
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="how long to mark (default: %(default)s)")
    parser.add_argument("--lan", action="store_true", help="over TLS, as with LAN=1")
    options = parser.parse_args()
    settings = {"LIVE_SESSIONS": "per-class", "LIMITS": "False"}
    with databases_of_a_run() as databases, TemporaryDirectory() as folder:
        database = databases.fresh()
        with LanServer(database, Path(folder), **settings) if options.lan else Server(database, **settings) as server:
            return measure(server, options.seconds)


def measure(server: Server, seconds: float) -> int:
    """Prints what was found; the exit status."""
    api = Api(server.url, server.trust) if isinstance(server, LanServer) else Api(server.url)
    report = asyncio.run(run(server, api, seconds))
    api.close()
    server.assert_clean()
    for fault in report.faults:
        print(fault)
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
