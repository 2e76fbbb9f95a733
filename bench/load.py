"""The loads in Python, of what `fanout.c` does not do: many teachers who mark, DONE, requests, openings."""

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

from bench.fixtures import Lesson
from bench.percentiles import percentile
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


def marking(server: Server, lessons: Sequence[Lesson], *, marks: int, window: int) -> Figures:
    """Opens a teacher's socket for each lesson. All mark at once, `marks` each, at most `window` of them unanswered.

    The figures are marks a second, milliseconds from sending a mark to hearing it, and the server's CPU µs a mark.
    """
    return asyncio.run(_marking(server, lessons, marks, window))


async def _marking(server: Server, lessons: Sequence[Lesson], marks: int, window: int) -> Figures:
    sockets = [await connect(f"{server.ws_url}?token={lesson.teacher_token}", **NO_LIMITS) for lesson in lessons]
    used, began = Usage(server.pid), time.perf_counter()
    pairs = zip(sockets, lessons, strict=True)
    waits = await asyncio.gather(*(_mark(socket, lesson, marks, window) for socket, lesson in pairs))
    seconds, cpu = time.perf_counter() - began, used.cpu
    for socket in sockets:
        await socket.close()
    total, all_waits = marks * len(lessons), [wait for of_socket in waits for wait in of_socket]
    return {
        "teachers": len(lessons),
        "window": window,
        "marks": total,
        "marks_per_s": total / seconds,
        "p50_ms": percentile(all_waits, 0.5),
        "p99_ms": percentile(all_waits, 0.99),
        "cpu_us_per_mark": 1e6 * cpu / total,
    }


async def _mark(socket: ClientConnection, lesson: Lesson, marks: int, window: int) -> list[float]:
    sent: list[float] = []
    waits: list[float] = []
    for number in range(marks + window):
        if number >= window:
            frame = json.loads(await socket.recv())
            if frame["event"] != "ATTENDANCE_MARKED":
                raise RuntimeError(f"a mark was answered {frame}")
            waits.append(1e3 * (time.perf_counter() - sent[len(waits)]))
        if len(sent) < marks:
            data = {"studentId": lesson.student_ids[number % len(lesson.student_ids)], "status": "present"}
            sent.append(time.perf_counter())
            await socket.send(json.dumps({"event": "ATTENDANCE_MARKED", "data": data}))
    return waits


def done(server: Server, lesson: Lesson) -> Figures:
    """Sends DONE from the teacher's socket: seconds until that socket hears DONE, and the server's CPU seconds."""
    with connect_at_once(f"{server.ws_url}?token={lesson.teacher_token}", max_size=None) as socket:
        used, began = Usage(server.pid), time.perf_counter()
        socket.send('{"event":"DONE"}')
        frame = json.loads(socket.recv(timeout=120))
        seconds = time.perf_counter() - began
    if frame["event"] != "DONE" or frame["data"]["total"] != len(lesson.student_ids):
        raise RuntimeError(f"DONE was answered {frame}")
    return {"seconds": seconds, "cpu_s": used.cpu}


def synced(server: Server, token: str) -> int:
    """Sends SYNC and returns the seq of the answer, which must have all marks up to it."""
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
    """Sends all requests over so many connections: requests a second, CPU ms a request, ms until the answer."""
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

    used, began = Usage(server.pid), time.perf_counter()
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

    async def run() -> Figures:
        used = Usage(server.pid)
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
