"""`make bench`: this server beside the yardstick, a Node server without a database, on the same load, in turn.

YARDSTICK is the folder with compare.py, fanout.c and peer-node/. Prints the table and writes
FOLDER/side-by-side.json. Every run has a fresh database; needs cc, node, npm, and wrk for the REST routes.
"""

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import rest
from bench.fanout import allow_many_sockets, fanout
from bench.results import ROOT, Figures, machine, made_by, say, write
from bench.table import columns, shown

RUNS = 3
#: How the REST routes are asked: so many connections, for so many seconds each run.
CONNECTIONS = 32
SECONDS = 5
#: What the load counts that must not be.
FAULTS = ("lost", "out_of_order", "errors", "closed")


@dataclass(frozen=True)
class Row:
    """A line of the table: a figure of both sides, and what is wanted of it."""

    name: str
    figure: Callable[[Figures], float]
    unit: str = ""
    #: The most that ours divided by the yardstick's may be; None: see `at_most`.
    ratio: float | None = None
    #: The most that ours may be.
    at_most: float | None = None

    def of(self, found: Figures) -> Figures:
        """The line's figures: medians of the runs, their ratio, whether it is what is wanted."""
        ours, yardstick = (median(self.figure(run) for run in found[side]) for side in ("ours", "yardstick"))
        ratio = ours / yardstick if yardstick else None
        wanted, compared = (self.ratio, ratio) if self.ratio is not None else (self.at_most, ours)
        reached = compared is not None and wanted is not None and compared <= wanted
        return {
            "name": self.name,
            "ours": ours,
            "yardstick": yardstick,
            "unit": self.unit,
            "ratio": ratio,
            "target": f"ratio ≤ {self.ratio}"
            if self.ratio is not None
            else f"≤ {self.at_most:g}{self.unit}".replace("≤ 0", "0"),
            "reached": reached,
        }


ROWS = (
    Row("one mark at a time: server CPU a frame", lambda run: run["steady"]["cpu_us_per_frame"], " µs", ratio=0.8),
    Row("one mark at a time: mark to last socket, p99", lambda run: run["steady"]["p99_ms"], " ms", ratio=1.0),
    Row("500 marks at once: server CPU a frame", lambda run: run["burst"]["cpu_us_per_frame"], " µs", ratio=0.25),
    Row("500 marks at once: frames lost", lambda run: run["burst"]["lost"], at_most=0),
    Row("500 marks at once: frames out of order", lambda run: run["burst"]["out_of_order"], at_most=0),
    Row("memory a socket", lambda run: run["steady"]["kib_per_socket"], " KiB", at_most=40),
)


def run(yardstick: Path, *, sockets: int, runs: int, many: int, folder: Path, command: str) -> None:
    """Measures both, prints the table and writes folder/side-by-side.json."""
    made = made_by(command)
    with servers(yardstick) as (ours, node):
        say(f"{runs} runs of each server at {sockets} sockets, in turn …")
        found = compare(yardstick, ours, node, sockets, runs)
    table: Figures = {"sockets": sockets, "runs": runs, "rows": [row.of(found) for row in ROWS]}
    table["rows"] += rest_rows(yardstick, runs)
    say(f"{many} sockets on one process of ours …")
    result = {"made": made, "machine": machine(), "table": table, "many": many_sockets(many), "runs": found}
    path = write(folder, "side-by-side", result)
    print(as_text(result))
    print(path)


@contextmanager
def servers(yardstick: Path) -> Iterator[tuple[str, str]]:
    """The shell commands that start ours and the yardstick on PORT."""
    with tempfile.TemporaryDirectory(dir=_place()) as folder:
        for name in ("package.json", "server.js"):
            shutil.copy(yardstick / "peer-node" / name, folder)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder], check=True)
        data = f"DATA_DIR=$(mktemp -d -p {shlex.quote(folder)})"
        serve = shlex.join([sys.executable, "manage.py", "serve", "--setup"])
        yield f"cd {shlex.quote(str(ROOT))} && {data} exec {serve}", f"exec node {shlex.quote(folder)}/server.js"


def _place() -> Path:
    """On the disk of the default database."""
    place = ROOT / "var"
    place.mkdir(exist_ok=True)
    return place


def compare(yardstick: Path, ours: str, node: str, sockets: int, runs: int) -> Figures:
    """What compare.py found in each run, by side."""
    command = [sys.executable, str(yardstick / "compare.py"), "--sockets", str(sockets), "--runs", str(runs)]
    found: dict[str, list[Any]] = {"ours": [], "yardstick": []}
    sides = {"a": "ours", "b": "yardstick"}
    with subprocess.Popen([*command, ours, node], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            side, _, rest = line.partition(" ")
            if side in sides and rest.startswith("{"):
                run = json.loads(rest)
                if any("error" in run[load] for load in ("steady", "burst")):
                    raise RuntimeError(f"{sides[side]}: {rest}")
                found[sides[side]].append(run)
                say(f"  {sides[side]:10}{_in_short(run)}")
    if process.returncode or not len(found["ours"]) == len(found["yardstick"]) == runs:
        raise RuntimeError(f"compare.py ended with {process.returncode}")
    return found


def _in_short(run: Figures) -> str:
    steady, burst = run["steady"], run["burst"]
    return (
        f"{steady['cpu_us_per_frame']:.2f} µs a frame, p99 {steady['p99_ms']:.1f} ms; at once "
        f"{burst['cpu_us_per_frame']:.2f} µs, lost {burst['lost']}"
    )


def rest_rows(yardstick: Path, runs: int) -> list[Figures]:
    """The hot REST routes beside the yardstick's, and what logins do to a mark on its way; none without wrk."""
    if shutil.which("wrk") is None:
        say("The REST routes are left out: they need wrk.")
        return []
    say(f"{CONNECTIONS} connections asking the hot REST routes of each server, in turn …")
    rows = []
    found = rest.routes(yardstick / "peer-node", runs=runs, seconds=SECONDS, connections=CONNECTIONS)
    for name, mine, theirs, ratio in found:
        say(f"  {name}: {mine.rate:.0f} a second, {theirs.rate:.0f}")
        wanted = name.startswith("GET ")
        rows.append(
            {
                "name": f"`{name}`, requests a second",
                "ours": mine.rate,
                "yardstick": theirs.rate,
                "unit": "",
                "ratio": ratio,
                "target": "ratio ≥ 1.0" if wanted else "",
                "reached": ratio >= 1.0 and not mine.failed if wanted else None,
            }
        )
    say("A mark's way, at rest and beside 50 logins at once …")
    at_rest, busy = rest.logins(seconds=2 * SECONDS)
    later = max(busy.mark_p99 - at_rest.mark_p99, 0.0)
    rows.append(
        {
            "name": "50 logins at once: a mark's p99 is later by",
            "ours": later,
            "yardstick": None,
            "unit": " ms",
            "ratio": None,
            "target": "≤ 50 ms",
            "reached": later <= 50,
        }
    )
    return rows


def many_sockets(wanted: int) -> Figures:
    """So many sockets (or as many as the limit on open files allows) on one process: opened, marked, all served."""
    import bench.environment  # noqa: F401  before any model
    from bench import ground

    most = allow_many_sockets()
    sockets = min(wanted, most)
    if sockets < wanted:
        say(f"  The limit on open files leaves {most}; raise it with: ulimit -n")
    with ground.databases() as databases, fanout() as program:
        database = databases.fresh()
        room = ground.fill(database, students=500)[0]
        with ground.serving(database) as server:
            assert server.process is not None
            at = (server.port, server.process.pid, room.participants)
            steady = program.run(*at, sockets=sockets, marks=20, gap=2000)
            burst = program.run(*at, sockets=sockets, marks=100, gap=0)
    faults = {name: steady[name] + burst[name] for name in FAULTS}
    return {"wanted": wanted, "sockets": sockets, **faults, "steady": steady, "burst": burst}


def as_text(result: Figures) -> str:
    """The table as it is printed."""
    lines = [heading(result), *in_words(result)]
    return f"\n{columns(lines)}\n\n{many_in_words(result['many'])}"


def heading(result: Figures) -> tuple[str, ...]:
    table = result["table"]
    sockets = f"{table['sockets']:,} sockets, medians of {table['runs']} paired runs"
    return sockets, "this server", "yardstick", "ratio", "target", ""


def in_words(result: Figures) -> list[tuple[str, ...]]:
    """The table's lines: name, ours, the yardstick's, ratio, target, whether it is reached."""
    many = result["many"]
    served = many["sockets"] == many["wanted"] and not any(many[fault] for fault in FAULTS)
    ours, wanted = f"{many['sockets']:,}, {many['lost']} lost", f"{many['wanted']:,}, 0 lost"
    return [
        *((line["name"], *cells(line)) for line in result["table"]["rows"]),
        ("sockets on one process, all marked and served", ours, "", "", wanted, _reached(served)),
    ]


def cells(line: Figures) -> tuple[str, str, str, str, str]:
    """A line's figures in words: ours, the yardstick's, ratio, target, whether it is reached."""
    ours, yardstick = ("" if line[side] is None else shown(line[side]) + line["unit"] for side in ("ours", "yardstick"))
    ratio = "" if line["ratio"] is None else f"{line['ratio']:.2f}"
    return ours, yardstick, ratio, line["target"], _reached(line["reached"])


def _reached(reached: bool | None) -> str:
    return {True: "reached", False: "not reached", None: ""}[reached]


def many_in_words(many: Figures) -> str:
    sent = many["steady"]["marks"] + many["burst"]["marks"]
    frames = many["steady"]["frames"] + many["burst"]["frames"]
    limit = "" if many["sockets"] == many["wanted"] else f" (wanted {many['wanted']:,}; the limit on open files)"
    return (
        f"One process of ours with {many['sockets']:,} sockets{limit}: {sent} marks, {frames:,} frames, "
        f"{many['lost']} lost, {many['out_of_order']} out of order, {many['closed']} sockets closed; "
        f"one mark reaches the last socket after {shown(many['steady']['p50_ms'])} ms (median), "
        f"{shown(many['steady']['kib_per_socket'])} KiB a socket."
    )
