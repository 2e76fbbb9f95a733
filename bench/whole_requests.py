"""What a class asks at once, as whole requests: CPU time of the server and requests a second, asked by wrk.

    python -m bench.whole_requests       # the plain way, the quick way (`core.rest.quick`), and the Node yardstick
    python -m bench.whole_requests --without-node

Each round asks all of them in turn. The least CPU time counts, since others' work only ever adds to one, and of the
ratios, which are of neighbours in time, the median. The yardstick has the routes of the canonical contract alone.
"""

import argparse
import contextlib
import sys
from collections.abc import Mapping
from statistics import median

from bench import rest, servers
from bench.cores import keep_off_the_server
from bench.rest import Route
from bench.results import Figures, say
from bench.servers import Server
from bench.table import columns, shown
from bench.yardsticks import Yardsticks

CONNECTIONS, SECONDS = 32, 1
#: The quick way leaves requests with this header to the plain way, which on these routes does nothing with it.
PLAIN = "wrk.headers['Idempotency-Key'] = 'plain'"


def own_routes(server: Server, canonical: Mapping[str, Route]) -> dict[str, Route]:
    """The routes of other protocols, over the same class: it has a lesson and an open session today."""
    start, student = canonical["POST /attendance/start"], canonical["GET /class/:id/my-attendance"].token
    class_id, teacher = start.body["classId"], start.token
    server.call("POST", start.path, start.body, teacher)
    slots = [{"weekday": weekday, "start": "10:00", "end": "10:50"} for weekday in range(1, 8)]
    server.call("PUT", f"/api/v2/classes/{class_id}/timetable", {"slots": slots}, teacher)
    session = server.call("GET", f"/api/v2/classes/{class_id}/sessions", token=teacher)["items"][0]["_id"]
    found = {"GET /getAttendance": Route("GET", "/getAttendance", student)}
    for who, token in (("student", student), ("teacher", teacher)):
        found[f"GET /api/v2/lessons, {who}"] = Route("GET", "/api/v2/lessons", token)
        found[f"GET /api/v2/sessions/:id, {who}"] = Route("GET", f"/api/v2/sessions/{session}", token)
    return found


def measure(*, with_node: bool, rounds: int) -> dict[str, list[dict[str, Figures]]]:
    """By route: of each round the figures by way."""
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(servers.ours())
        canonical = rest.prepare(ours, rosters=(rest.SMALL,))
        asked = {**canonical, **own_routes(ours, canonical)}
        ways = {"plain": (ours, asked, PLAIN), "quick": (ours, asked, "")}
        if with_node:
            node = stack.enter_context(Yardsticks.of(None).start_node())
            ways["Node"] = (node, rest.prepare(node, rosters=(rest.SMALL,)), "")
        found: dict[str, list[dict[str, Figures]]] = {}
        for name in asked:
            there = {way: (server, of[name], lua) for way, (server, of, lua) in ways.items() if name in of}
            of_rounds = [
                {
                    way: rest.load(server, route, seconds=SECONDS, connections=CONNECTIONS, requests=lua)
                    for way, (server, route, lua) in there.items()
                }
                for _ in range(rounds + 1)
            ]
            found[name] = of_rounds[1:]  # in the first round all is new
            say(f"  {name}")
    return found


def table(found: Mapping[str, list[dict[str, Figures]]]) -> list[tuple[str, ...]]:
    """The lines, the heading first."""
    heading = ("CPU µs a request (requests a second)", "plain", "quick", "Node", "quick / plain", "quick / Node")
    return [heading, *(_line(name, rounds) for name, rounds in found.items())]


def _line(name: str, rounds: list[dict[str, Figures]]) -> tuple[str, ...]:
    cells = [_cell([of[way] for of in rounds]) if way in rounds[0] else "" for way in ("plain", "quick", "Node")]
    ratios = [
        f"{median(of['quick']['per_s'] / of[way]['per_s'] for of in rounds):.2f}" if way in rounds[0] else ""
        for way in ("plain", "Node")
    ]
    return f"`{name}`", *cells, *ratios


def _cell(runs: list[Figures]) -> str:
    failed = sum(run["failed"] for run in runs)
    best = f"{min(run['cpu_us'] for run in runs):.0f} ({shown(max(run['per_s'] for run in runs))})"
    return f"{best}, {failed} failed" if failed else best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without-node", action="store_true", help="leave the yardstick out")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    arguments = parser.parse_args()
    keep_off_the_server()
    print(columns(table(measure(with_node=not arguments.without_node, rounds=arguments.rounds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
