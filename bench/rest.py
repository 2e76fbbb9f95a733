#!/usr/bin/env python3
"""The hot REST routes of this server beside the yardstick's, and what 50 logins at once do to a mark on its way.

    python bench/rest.py ../shared/bench/peer-node [--runs 5] [--seconds 5] [--connections 32] [--only routes|logins]

Both servers run on core 0 and the load (wrk) on core 1, each has the same teacher, students and classes, and they are
measured in turn: ours, theirs, ours, theirs, … What is printed of a route is the pair in the middle. A shared machine
blurs requests a second; it blurs less the processor time a request, which the kernel counts for the server alone.
Needs wrk, node, npm.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PROJECT = Path(__file__).resolve().parent.parent
SERVER_CORE, LOAD_CORE = "0", "1"
ROSTERS = (30, 1000)
PASSWORD = "secret1"
#: What the logins are measured with: so many at once, marks this far apart (seconds).
LOGINS = 50
GAP = 0.02

#: wrk says what it has counted, its times in microseconds.
_REPORT = """
done = function(summary, latency)
  local e = summary.errors
  print(string.format('REPORT {"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"failed":%d}', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Figures:
    """A route of one server: requests a second, processor µs a request, latency in ms, requests that failed."""

    rate: float
    cpu: float
    p50: float
    p99: float
    failed: float


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    token: str
    body: Any = None


class Server:
    """A running server and what was made on it."""

    def __init__(self, command: list[str], folder: Path, ready: str, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        environment = {**os.environ, "PORT": str(self.port), "NODE_ENV": "production", **environment}
        pinned = ["taskset", "-c", SERVER_CORE, *command]
        self.process = subprocess.Popen(pinned, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        self.environment = environment
        self._wait(ready)

    def _wait(self, path: str) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60):
                    return
            except urllib.error.HTTPError:
                return  # it answers
            except OSError:
                time.sleep(0.1)
        sys.exit("A server did not start.")

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The answer's `data`."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json", "Authorization": token}
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)["data"]

    def person(self, name: str, role: str) -> tuple[str, str]:
        """A new account's id and token."""
        email = f"{name.lower().replace(' ', '.')}@example.com"
        made = self.call("POST", "/auth/signup", {"name": name, "email": email, "password": PASSWORD, "role": role})
        login = self.call("POST", "/auth/login", {"email": email, "password": PASSWORD})
        return made["_id"], login["token"]

    def cpu(self) -> float:
        """Processor time so far, seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def enrol(self, class_id: str, names: list[str], token: str) -> None:
        """Students onto a roster, by the routes."""
        for name in names:
            student_id, _ = self.person(name, "student")
            self.call("POST", f"/class/{class_id}/add-student", {"studentId": student_id}, token)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


class Ours(Server):
    """This project's, on a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [sys.executable, "manage.py", "serve", "--setup"]
        super().__init__(command, PROJECT, "/readyz", DATA_DIR=str(folder), DATABASE_URL="", LOG_LEVEL="WARNING")

    def enrol(self, class_id: str, names: list[str], token: str) -> None:
        """By the import, which hashes no passwords: a thousand would take a minute."""
        roster = self.folder / f"{class_id}.csv"
        rows = [f"{name},{name.lower().replace(' ', '.')}@example.com" for name in names]
        roster.write_text("\n".join(["name,email", *rows]))
        command = [sys.executable, "manage.py", "import_roster", class_id, str(roster)]
        subprocess.run(command, cwd=PROJECT, env=self.environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def ours() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        server = Ours(Path(folder))
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def yardstick(source: Path) -> Iterator[Server]:
    """The Node server, with cheap hashes: making its thousand accounts is not what is measured."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "server.js"):
            shutil.copy(source / name, folder)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)
        server = Server(["node", "server.js"], Path(folder), "/", ROUNDS="4")
        try:
            yield server
        finally:
            server.stop()


def prepare(server: Server) -> dict[str, Route]:
    """A class of each size, with the same names on every server; the routes that are asked."""
    _, teacher = server.person("Teacher", "teacher")
    pupil_id, pupil = server.person("Pupil", "student")
    classes = {}
    for size in ROSTERS:
        class_id = classes[size] = server.call("POST", "/class", {"className": f"Class of {size}"}, teacher)["_id"]
        server.call("POST", f"/class/{class_id}/add-student", {"studentId": pupil_id}, teacher)
        server.enrol(class_id, [f"Student {number} of {size}" for number in range(1, size)], teacher)
    small = classes[ROSTERS[0]]
    return {
        "GET /auth/me": Route("GET", "/auth/me", teacher),
        **{f"GET /class/:id, {size} students": Route("GET", f"/class/{classes[size]}", teacher) for size in ROSTERS},
        "GET /class/:id/my-attendance": Route("GET", f"/class/{small}/my-attendance", pupil),
        "POST /attendance/start": Route("POST", "/attendance/start", teacher, {"classId": small}),
    }


def load(server: Server, route: Route, *, seconds: float, connections: int, requests: str = "") -> Figures:
    """One run of wrk. `requests`: Lua that makes them, where they differ."""
    script = [_REPORT, f"wrk.method = '{route.method}'", "wrk.headers['Content-Type'] = 'application/json'", requests]
    if route.body is not None:
        script.append(f"wrk.body = '{json.dumps(route.body)}'")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write("\n".join(script))
        file.flush()
        command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s"]
        address = f"http://127.0.0.1:{server.port}{route.path}"
        command += ["-s", file.name, "-H", f"Authorization: {route.token}", address]
        before = server.cpu()
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = json.loads(re.findall(r"REPORT (.*)", said)[-1])
    cpu = (server.cpu() - before) / max(1, found["requests"]) * 1e6
    return Figures(found["requests"] / found["seconds"], cpu, found["p50"], found["p99"], found["failed"])


def routes(
    source: Path, *, runs: int, seconds: float, connections: int
) -> Iterator[tuple[str, Figures, Figures, float]]:
    """Each route: of the pairs of runs, ours and the yardstick's, the one in the middle by their ratio of requests a
    second, and that ratio. Requests that failed are those of all runs."""
    with ExitStack() as stack:
        servers = [stack.enter_context(ours()), stack.enter_context(yardstick(source))]
        asked = [prepare(server) for server in servers]
        for name in asked[0]:
            yield name, *_paired(servers, [each[name] for each in asked], runs, seconds, connections)


def _paired(
    servers: list[Server], route: list[Route], runs: int, seconds: float, connections: int
) -> tuple[Figures, Figures, float]:
    sides = list(zip(servers, route, strict=True))
    for server, asked in sides:
        load(server, asked, seconds=1, connections=connections)
    pairs = [
        [load(server, asked, seconds=seconds, connections=connections) for server, asked in sides] for _ in range(runs)
    ]
    # A pair's two runs are neighbours in time. Medians of each side by itself would compare the machine's moods.
    mine, theirs = sorted(pairs, key=lambda pair: pair[0].rate / pair[1].rate)[len(pairs) // 2]
    failed = [sum(pair[side].failed for pair in pairs) for side in (0, 1)]
    return replace(mine, failed=failed[0]), replace(theirs, failed=failed[1]), mine.rate / theirs.rate


@dataclass(frozen=True)
class Delays:
    """What passes beside logins, ms: from a mark to the socket that hears it, and a `GET /auth/me`."""

    mark_p50: float
    mark_p99: float
    me_p50: float
    me_p99: float
    logins: float  # a second


def logins(*, seconds: float) -> tuple[Delays, Delays]:
    """Our server at rest, and while `LOGINS` logins are under way all the time."""
    with ours() as server:
        _, teacher = server.person("Teacher", "teacher")
        pupils = [server.person(f"Pupil {number}", "student") for number in range(LOGINS)]
        class_id = server.call("POST", "/class", {"className": "Class"}, teacher)["_id"]
        for pupil_id, _ in pupils:
            server.call("POST", f"/class/{class_id}/add-student", {"studentId": pupil_id}, teacher)
        server.call("POST", "/attendance/start", {"classId": class_id}, teacher)
        rest = _watch(server, teacher, pupils, seconds, 0.0)
        counted: list[Figures] = []
        emails = ",".join(f"'pupil.{number}@example.com'" for number in range(LOGINS))
        each_their_own = f"""
            local emails, at = {{{emails}}}, 0
            request = function()
              at = at % #emails + 1
              return wrk.format(nil, nil, nil, '{{"email":"' .. emails[at] .. '","password":"{PASSWORD}"}}')
            end"""
        route = Route("POST", "/auth/login", "none")

        def log_in() -> None:
            counted.append(load(server, route, seconds=seconds + 6, connections=LOGINS, requests=each_their_own))

        thread = threading.Thread(target=log_in)
        thread.start()
        time.sleep(3)  # until all of them wait
        busy = _watch(server, teacher, pupils, seconds, 0.0)
        thread.join()
        if counted[0].failed:
            sys.exit(f"{counted[0].failed:.0f} logins failed.")
        return rest, Delays(busy.mark_p50, busy.mark_p99, busy.me_p50, busy.me_p99, counted[0].rate)


def _watch(server: Server, teacher: str, pupils: list[tuple[str, str]], seconds: float, logins: float) -> Delays:
    asked: list[float] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(GAP):
            began = time.perf_counter()
            server.call("GET", "/auth/me", token=teacher)
            asked.append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=ask)
    thread.start()
    heard = asyncio.run(_marks(server, teacher, pupils, seconds))
    stop.set()
    thread.join()
    return Delays(*_percentiles(heard), *_percentiles(asked), logins)


async def _marks(server: Server, teacher: str, pupils: list[tuple[str, str]], seconds: float) -> list[float]:
    """How long each mark took from its teacher to a student's socket, ms."""
    address = f"ws://127.0.0.1:{server.port}/ws?token="
    delays = []
    async with connect(address + teacher) as sender, connect(address + pupils[0][1]) as listener:
        drain = asyncio.create_task(_drain(sender))
        for number in range(int(seconds / GAP)):
            mark = {"studentId": pupils[number % len(pupils)][0], "status": "present"}
            began = time.perf_counter()
            await sender.send(json.dumps({"event": "ATTENDANCE_MARKED", "data": mark}))
            await listener.recv()
            delays.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(GAP)
        drain.cancel()
    return delays


async def _drain(connection: ClientConnection) -> None:
    async for _ in connection:
        pass


def _percentiles(values: list[float]) -> tuple[float, float]:
    return statistics.median(values), statistics.quantiles(values, n=100)[98]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("yardstick", type=Path, help="the folder of the Node server")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each run")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", choices=("routes", "logins"))
    options = parser.parse_args()
    os.sched_setaffinity(0, {int(LOAD_CORE)})  # this process is load as well
    if options.only != "logins":
        how = f"{options.connections} connections, the middle one of {options.runs} pairs of {options.seconds} s"
        print(f"{how}; ours / yardstick")
        print(_line("", "requests a second", "ratio", "CPU µs a request", "p50 ms", "p99 ms", "failed"))
        asked = {"runs": options.runs, "seconds": options.seconds, "connections": options.connections}
        for name, mine, theirs, ratio in routes(options.yardstick, **asked):
            rate, *others = (f"{getattr(mine, f):.0f} / {getattr(theirs, f):.0f}" for f in Figures.__annotations__)
            print(_line(name, rate, f"{ratio:.2f}", *others), flush=True)
    if options.only != "routes":
        rest, busy = logins(seconds=2 * options.seconds)
        print(f"\n{LOGINS} logins at once ({busy.logins:.1f} a second), ms, at rest / beside them")
        for name, field in (("mark to socket", "mark"), ("GET /auth/me", "me")):
            both = [(getattr(rest, f"{field}_{at}"), getattr(busy, f"{field}_{at}")) for at in ("p50", "p99")]
            print(f"{name:16} p50 {both[0][0]:.1f} / {both[0][1]:.1f}   p99 {both[1][0]:.1f} / {both[1][1]:.1f}")


def _line(*columns: str) -> str:
    return "".join(
        f"{each:{width}}" for each, width in zip(columns, ("<32", ">20", ">7", ">18", ">14", ">14", ">9"), strict=True)
    )


if __name__ == "__main__":
    main()
