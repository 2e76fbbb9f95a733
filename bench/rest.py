"""The hot REST routes of servers side by side, asked by `wrk`.

A shared machine blurs requests a second. It blurs less the ratio of runs that are neighbours in time, and the CPU time
of a request, which the kernel counts for the server alone.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.programs import need
from bench.results import Figures
from bench.servers import Server

SMALL = 30
ROSTERS = (SMALL, 1000)

#: wrk says what it has counted. Its times are in microseconds.
_REPORT = """
done = function(summary, latency)
  local e = summary.errors
  print(string.format('REPORT {"requests":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f,"failed":%d}', summary.requests,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Route:
    """A request, as often as it can be sent."""

    method: str
    path: str
    token: str = ""
    body: Any = None
    #: As a browser sends them that has signed in to the pages.
    cookies: str = ""


def load(server: Server, route: Route, *, seconds: int, connections: int, requests: str = "") -> Figures:
    """One run of wrk. `requests`: Lua that makes the requests, where they differ.

    Requests a second, CPU µs a request, latencies in ms, and how many requests failed.
    """
    script = [_REPORT, f"wrk.method = '{route.method}'", "wrk.headers['Content-Type'] = 'application/json'", requests]
    if route.body is not None:
        script.append(f"wrk.body = '{json.dumps(route.body)}'")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "requests.lua")
        file.write_text("\n".join(script))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(file)]
        headers = {"Authorization": route.token, "Cookie": route.cookies}
        for name in filter(headers.get, headers):
            command += ["-H", f"{name}: {headers[name]}"]
        command.append(server.url + route.path)
        used = server.usage()
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        cpu = used.cpu
    found: Figures = json.loads(re.findall(r"REPORT (.*)", said)[-1])
    found["per_s"] = found["requests"] / found["seconds"]
    found["cpu_us"] = 1e6 * cpu / max(1, found["requests"])
    return found


def routes(
    servers: Mapping[str, Server], *, runs: int, seconds: int, connections: int
) -> Iterator[tuple[str, list[dict[str, Figures]]]]:
    """Each route by name, and of each round of runs the figures by server."""
    need("wrk")
    asked = {side: prepare(server) for side, server in servers.items()}
    for name in next(iter(asked.values())):
        for side, server in servers.items():
            load(server, asked[side][name], seconds=1, connections=connections)
        yield (
            name,
            [
                {
                    side: load(server, asked[side][name], seconds=seconds, connections=connections)
                    for side, server in servers.items()
                }
                for _ in range(runs)
            ],
        )


def prepare(server: Server, *, rosters: Sequence[int] = ROSTERS) -> dict[str, Route]:
    """Makes a class of each size, with the same names on every server; the routes that are asked."""
    _, teacher = server.person("Teacher", "teacher")
    student_id, student = server.person("Student", "student")
    classes = {}
    for size in rosters:
        class_id = classes[size] = server.call("POST", "/class", {"className": f"Class of {size}"}, teacher)["_id"]
        server.call("POST", f"/class/{class_id}/add-student", {"studentId": student_id}, teacher)
        server.enrol(class_id, [f"Student {number} of {size}" for number in range(1, size)], teacher)
    small = classes[SMALL]
    return {
        "GET /auth/me": Route("GET", "/auth/me", teacher),
        **{f"GET /class/:id, {size} students": Route("GET", f"/class/{classes[size]}", teacher) for size in rosters},
        "GET /class/:id/my-attendance": Route("GET", f"/class/{small}/my-attendance", student),
        "POST /attendance/start": Route("POST", "/attendance/start", teacher, {"classId": small}),
    }
