"""Loads in Python, where the yardstick's load program does not reach: teachers who mark, requests, openings."""

import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.sync.client import connect as connect_at_once

from bench.ground import Room
from bench.results import Figures
from bench.usage import Usage
from tests.support.server import Server

READY_LIMIT = 120.0  # seconds
NO_LIMITS: dict[str, Any] = {
    "open_timeout": 120,
    "max_size": None,
    "max_queue": None,
    "ping_interval": None,
    "compression": None,
}


def percentile(values: Sequence[float], part: float) -> float:
    """The value that `part` (0 to 1) of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def marking(server: Server, rooms: Sequence[Room], *, marks: int, window: int) -> Figures:
    """A teacher's socket for each room, all at once, `marks` each; each has at most `window` of its own on the way.

    Marks a second, milliseconds from sending to hearing a mark, the server's CPU µs a mark.
    """
    return asyncio.run(_marking(server, rooms, marks, window))


async def _marking(server: Server, rooms: Sequence[Room], marks: int, window: int) -> Figures:
    assert server.process is not None
    sockets = [await connect(f"{server.ws_url}?token={room.teacher_token}", **NO_LIMITS) for room in rooms]
    used, began = Usage(server.process.pid), time.perf_counter()
    pairs = zip(sockets, rooms, strict=True)
    waits = await asyncio.gather(*(_mark(socket, room, marks, window) for socket, room in pairs))
    seconds, cpu = time.perf_counter() - began, used.cpu
    for socket in sockets:
        await socket.close()
    total, all_waits = marks * len(rooms), [wait for of_socket in waits for wait in of_socket]
    return {
        "teachers": len(rooms),
        "window": window,
        "marks": total,
        "marks_per_s": total / seconds,
        "p50_ms": percentile(all_waits, 0.5),
        "p99_ms": percentile(all_waits, 0.99),
        "cpu_us_per_mark": 1e6 * cpu / total,
    }


async def _mark(socket: ClientConnection, room: Room, marks: int, window: int) -> list[float]:
    sent: list[float] = []
    waits: list[float] = []
    for number in range(marks + window):
        if number >= window:
            frame = json.loads(await socket.recv())
            if frame["event"] != "ATTENDANCE_MARKED":
                raise RuntimeError(f"a mark was answered {frame}")
            waits.append(1e3 * (time.perf_counter() - sent[len(waits)]))
        if len(sent) < marks:
            data = {"studentId": room.student_ids[number % len(room.student_ids)], "status": "present"}
            sent.append(time.perf_counter())
            await socket.send(json.dumps({"event": "ATTENDANCE_MARKED", "data": data}))
    return waits


def done(server: Server, room: Room) -> Figures:
    """Ends the room's session by its teacher's socket: seconds until that hears DONE, and the server's CPU seconds."""
    assert server.process is not None
    with connect_at_once(f"{server.ws_url}?token={room.teacher_token}", max_size=None) as socket:
        used, began = Usage(server.process.pid), time.perf_counter()
        socket.send('{"event":"DONE"}')
        frame = json.loads(socket.recv(timeout=120))
        seconds = time.perf_counter() - began
    if frame["event"] != "DONE" or frame["data"]["total"] != len(room.student_ids):
        raise RuntimeError(f"DONE was answered {frame}")
    return {"seconds": seconds, "cpu_s": used.cpu}


def synced(server: Server, token: str) -> int:
    """The seq that SYNC is answered with."""
    with connect_at_once(f"{server.ws_url}?token={token}", max_size=None, open_timeout=120) as socket:
        socket.send('{"event":"SYNC"}')
        frame = json.loads(socket.recv(timeout=120))
    if frame["event"] != "SYNC" or frame["data"]["seq"] != len(frame["data"]["marks"]):
        raise RuntimeError(f"SYNC was answered {str(frame)[:200]}")
    return int(frame["data"]["seq"])


@dataclass(frozen=True)
class Request:
    """One REST request."""

    method: str
    path: str
    token: str = ""
    body: object = None


def requests(server: Server, asked: Sequence[Request], *, connections: int) -> Figures:
    """Sends all that is asked over so many connections: requests a second, CPU ms each, milliseconds until answered."""
    assert server.process is not None
    clients = [httpx.Client(base_url=server.url, timeout=120) for _ in range(connections)]

    def work(at: int) -> list[float]:
        waits = []
        for request in asked[at::connections]:
            began = time.perf_counter()
            answer = clients[at].request(
                request.method, request.path, json=request.body, headers={"Authorization": request.token}
            )
            waits.append(1e3 * (time.perf_counter() - began))
            answer.raise_for_status()
        return waits

    used, began = Usage(server.process.pid), time.perf_counter()
    with ThreadPoolExecutor(connections) as threads:
        waits = [wait for of_client in threads.map(work, range(connections)) for wait in of_client]
    seconds, cpu = time.perf_counter() - began, used.cpu
    for client in clients:
        client.close()
    return {
        "requests": len(asked),
        "connections": connections,
        "per_s": len(asked) / seconds,
        "cpu_ms": 1e3 * cpu / len(asked),
        "p50_ms": percentile(waits, 0.5),
        "p99_ms": percentile(waits, 0.99),
    }


def opening(server: Server, tokens: Sequence[str]) -> Figures:
    """Opens a socket for each token, one after another: CPU ms and KiB of memory a socket."""
    assert server.process is not None

    async def run() -> Figures:
        assert server.process is not None
        used = Usage(server.process.pid)
        memory, began = used.memory, time.perf_counter()
        sockets = [await connect(f"{server.ws_url}?token={token}", **NO_LIMITS) for token in tokens]
        seconds, cpu, after = time.perf_counter() - began, used.cpu, used.memory
        for socket in sockets:
            await socket.close()
        count = len(tokens)
        return {
            "sockets": count,
            "per_s": count / seconds,
            "cpu_ms": 1e3 * cpu / count,
            "kib": (after - memory) / count,
        }

    return asyncio.run(run())


def wait_until_ready(server: Server) -> None:
    """Returns once `/readyz` says yes; RuntimeError after READY_LIMIT."""
    end = time.monotonic() + READY_LIMIT
    with httpx.Client(base_url=server.url, timeout=READY_LIMIT) as client:
        while client.get("/readyz").status_code != 200:
            if time.monotonic() > end:
                raise RuntimeError("the server was not ready in time")
            time.sleep(0.005)
