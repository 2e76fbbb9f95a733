"""What LOGINS logins at once do to everybody else: a mark on its way to a socket, and a request."""

import asyncio
import json
import statistics
import threading
import time
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect

from bench import rest
from bench.fanout import Participants
from bench.results import Figures
from bench.servers import PASSWORD, Server

LOGINS = 50
#: Seconds between two marks, and between two requests.
GAP = 0.02
#: Seconds until all of the logins wait for their turn.
LEAD = 3


@dataclass(frozen=True)
class Delays:
    """Milliseconds: from a mark to the socket that hears it, and until a `GET /auth/me` is answered."""

    mark_p50: float
    mark_p99: float
    me_p50: float
    me_p99: float


def logins(server: Server, *, seconds: int) -> tuple[Delays, Delays, float]:
    """At rest, while logins are under way all the time, and how many of those there were a second.

    RuntimeError if one of the logins failed.
    """
    who = server.open_class(LOGINS)
    at_rest = _watch(server, who, seconds)
    emails = ",".join(f"'student.{number}@example.com'" for number in range(LOGINS))
    each_their_own = f"""
        local emails, at = {{{emails}}}, 0
        request = function()
          at = at % #emails + 1
          return wrk.format(nil, nil, nil, '{{"email":"' .. emails[at] .. '","password":"{PASSWORD}"}}')
        end"""
    counted: list[Figures] = []

    def log_in() -> None:
        route = rest.Route("POST", "/auth/login", "none")
        lasting = seconds + 2 * LEAD
        counted.append(rest.load(server, route, seconds=lasting, connections=LOGINS, requests=each_their_own))

    thread = threading.Thread(target=log_in)
    thread.start()
    time.sleep(LEAD)
    beside = _watch(server, who, seconds)
    thread.join()
    if counted[0]["failed"]:
        raise RuntimeError(f"{counted[0]['failed']} logins failed")
    return at_rest, beside, counted[0]["per_s"]


def _watch(server: Server, who: Participants, seconds: int) -> Delays:
    asked: list[float] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(GAP):
            began = time.perf_counter()
            server.call("GET", "/auth/me", token=who.tokens[0])
            asked.append(1e3 * (time.perf_counter() - began))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        heard = asyncio.run(_marks(server, who, seconds))
    finally:
        stop.set()
        thread.join()
    return Delays(*_percentiles(heard), *_percentiles(asked))


async def _marks(server: Server, who: Participants, seconds: int) -> list[float]:
    """How long each mark took from its teacher to a student's socket, ms."""
    address = f"ws://127.0.0.1:{server.port}/ws?token="
    delays = []
    async with connect(address + who.tokens[0]) as teacher, connect(address + who.tokens[1]) as student:
        drain = asyncio.create_task(_drain(teacher))
        for number in range(int(seconds / GAP)):
            data = {"studentId": who.student_ids[number % len(who.student_ids)], "status": "present"}
            began = time.perf_counter()
            await teacher.send(json.dumps({"event": "ATTENDANCE_MARKED", "data": data}))
            await student.recv()
            delays.append(1e3 * (time.perf_counter() - began))
            await asyncio.sleep(GAP)
        drain.cancel()
    return delays


async def _drain(connection: ClientConnection) -> None:
    async for _ in connection:
        pass


def _percentiles(values: list[float]) -> tuple[float, float]:
    return statistics.median(values), statistics.quantiles(values, n=100)[98]
