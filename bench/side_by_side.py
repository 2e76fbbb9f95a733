"""`make bench`: this server and the yardsticks on the same load, in turn. Every run has a fresh server and database."""

import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from bench import page, rest, rush, servers
from bench.cores import on_all_cores
from bench.fanout import Fanout, allow_many_sockets, fanout
from bench.logins import LOGINS, logins
from bench.results import Figures, machine, made_by, say, write
from bench.servers import Server
from bench.side_by_side_table import FAULTS, FLOORS, ROWS, as_text, logins_line, page_lines, rest_line, rush_lines
from bench.yardsticks import Yardsticks

RUNS = 3
SOCKETS = 1000
#: How the REST routes are asked: so many connections, for so many seconds each run.
CONNECTIONS = 32
SECONDS = 5
#: What can be measured by itself.
PARTS = ("sockets", "rest", "logins", "rush", "page", "many")

#: By side, what starts its server.
Sides = Mapping[str, Callable[[], AbstractContextManager[Server]]]


def run(
    yardsticks: Yardsticks, *, parts: tuple[str, ...], sockets: int, runs: int, many: int, folder: Path, command: str
) -> None:
    """Measures, and prints the table; writes folder/side-by-side.json if all parts were asked for."""
    most = allow_many_sockets()
    result: Figures = {"made": made_by(command), "machine": machine()}
    with fanout(yardsticks.load) as load:
        sides: Sides = {"ours": servers.ours, **yardsticks.sides()}
        rows: list[Figures] = []
        if "sockets" in parts:
            say(f"{runs} runs of each server at {sockets} sockets, in turn …")
            result["runs"] = compare(load, sides, sockets, runs)
            # A yardstick's own load may not have every figure.
            rows += [row.of(result["runs"]) for row in ROWS if row.is_in(result["runs"])]
        if "rest" in parts:
            rows += rest_lines({side: start for side, start in sides.items() if side not in FLOORS}, runs)
        if "logins" in parts:
            rows += beside_logins()
        if "rush" in parts:
            rows += at_the_hour()
        if "page" in parts:
            rows += board_page()
        missing = [] if yardsticks.bun_is_installed else ["bun"]
        result["table"] = {
            "sockets": sockets,
            "runs": runs,
            "sides": ["ours", "yardstick", "bun", *FLOORS],
            "missing": missing,
            "rows": rows,
        }
        if "many" in parts:
            result["many"] = many_sockets(load, many, most)
    print(as_text(result))
    if set(parts) == set(PARTS):
        print(write(folder, "side-by-side", result))


def compare(load: Fanout, sides: Sides, sockets: int, runs: int) -> Figures:
    """The figures of each run, by side: one mark at a time (`steady`), and all at once (`burst`)."""
    found: Figures = {side: [] for side in sides}
    for _ in range(runs):
        for side, start in sides.items():
            with start() as server:
                at = (server.port, server.pid, server.open_class(max(50, sockets // 20)))
                steady = load.run(*at, sockets=sockets, marks=300, gap=2000)
                burst = load.run(*at, sockets=sockets, marks=500, gap=0)
            found[side].append({"steady": steady, "burst": burst})
            say(
                f"  {side:13}{steady['cpu_us_per_frame']:.2f} µs a frame, p99 {steady['p99_ms']:.1f} ms; at once "
                f"{burst['cpu_us_per_frame']:.2f} µs, lost {steady['lost'] + burst['lost']}"
            )
    return found


def rest_lines(sides: Sides, runs: int) -> list[Figures]:
    """The hot REST routes of each server; nothing without wrk."""
    if shutil.which("wrk") is None:
        say("The REST routes are left out: they need wrk.")
        return []
    say(f"{CONNECTIONS} connections that ask the hot REST routes of each server, in turn …")
    lines = []
    with ExitStack() as stack:
        running = {side: stack.enter_context(start()) for side, start in sides.items()}
        for name, rounds in rest.routes(running, runs=runs, seconds=SECONDS, connections=CONNECTIONS):
            lines.append(rest_line(name, rounds))
            of_sides = ", ".join(f"{side} {lines[-1][side]:.0f}" for side in running)
            say(f"  {name}, requests a second: {of_sides}")
    return lines


def beside_logins() -> list[Figures]:
    """What logins do to a mark on its way; nothing without wrk."""
    if shutil.which("wrk") is None:
        say("The logins are left out: they need wrk.")
        return []
    say(f"A mark's way, at rest and beside {LOGINS} logins at once …")
    with servers.ours() as server:
        at_rest, beside, per_s = logins(server, seconds=2 * SECONDS)
    for when, delays in (("at rest", at_rest), (f"beside {per_s:.1f} logins a second", beside)):
        say(
            f"  {when}: mark p50 {delays.mark_p50:.1f} ms, p99 {delays.mark_p99:.1f} ms; "
            f"GET /auth/me p50 {delays.me_p50:.1f} ms, p99 {delays.me_p99:.1f} ms"
        )
    return [logins_line(max(beside.mark_p99 - at_rest.mark_p99, 0.0), LOGINS)]


def at_the_hour() -> list[Figures]:
    """What a minute in which everybody checks in takes each."""
    import bench.environment  # noqa: F401  before any model
    from bench import fixtures

    say(f"{rush.STUDENTS:,} students who check in within {rush.SECONDS:.0f} s …")
    with on_all_cores(), fixtures.databases() as databases:
        found = rush.rush(databases, students=rush.STUDENTS, classes=rush.CLASSES, seconds=rush.SECONDS, signs_in=False)
    say(f"  {rush.in_words(found)}")
    return rush_lines(found)


def board_page() -> list[Figures]:
    """What the board's page costs the server; nothing without wrk."""
    if shutil.which("wrk") is None:
        say("The board's page is left out: it needs wrk.")
        return []
    say(f"The board's page, asked by {CONNECTIONS} connections …")
    with servers.ours() as server:
        return page_lines(page.board(server, seconds=SECONDS, connections=CONNECTIONS))


def many_sockets(load: Fanout, wanted: int, most: int) -> Figures:
    """So many sockets, or `most`, on one process of ours: opened, marked, all served."""
    import bench.environment  # noqa: F401  before any model
    from bench import fixtures

    sockets = min(wanted, most)
    say(f"{sockets} sockets on one process of ours …")
    if sockets < wanted:
        say(f"  The limit on open files leaves {most}; raise it with: ulimit -n")
    with fixtures.databases() as databases:
        database = databases.fresh()
        lesson = fixtures.fill(database, students=500)[0]
        with fixtures.serving(database) as server:
            at = (server.port, server.pid, lesson.participants)
            steady = load.run(*at, sockets=sockets, marks=20, gap=2000)
            burst = load.run(*at, sockets=sockets, marks=100, gap=0)
    faults = {name: steady[name] + burst[name] for name in FAULTS}
    return {"wanted": wanted, "sockets": sockets, **faults, "steady": steady, "burst": burst}
