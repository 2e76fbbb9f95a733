"""`make bench-scale`: the growth curves, and the costs that docs/scaling.md reckons with.

They are measured on SQLite, on the database server that DATABASE_URL names, or on one that is started for the run:
`--start postgresql` or `--start mongodb` (a stand-in that speaks MongoDB's protocol). The results are in
FOLDER/scale-DATABASE.json.
"""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.cores import keep_off_the_server
from bench.results import FOLDER, ROOT, machine, made_by, read, say, write

SOCKETS: Sequence[int] = (10, 100, 1000, 5000, 10_000)
ROSTERS: Sequence[int] = (30, 1000, 10_000)
JOURNALS: Sequence[int] = (100, 1000, 10_000, 100_000)
SESSIONS: Sequence[int] = (10, 100, 1000, 5000)
OPEN_SESSIONS: Sequence[int] = (10, 100, 1000, 5000)

CURVES = ("frames", "ends", "recovery", "matrices", "open_sessions", "shared_commits", "costs")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", choices=["postgresql", "mongodb"], help="start a database server for this run")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for the results (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=CURVES, default=CURVES, help="the others stay as they were")
    parser.add_argument("--small", action="store_true", help="the smaller sizes only, to try it out")
    arguments = parser.parse_args()
    keep_off_the_server()
    if arguments.start:
        return _on_a_server_of_its_own(arguments.start)

    import bench.environment  # noqa: F401  before any model, on the database that is to be used
    from bench import curves, fixtures
    from bench.fanout import allow_many_sockets, fanout

    most = allow_many_sockets()
    sizes = slice(0, 2 if arguments.small else None)
    sockets = sorted({min(size, most) for size in SOCKETS[sizes]})
    if max(SOCKETS[sizes]) > most:
        say(f"The limit on open files leaves {most} sockets at most; raise it with: ulimit -n")
    name = f"scale-{fixtures.DATABASE_KIND}"
    found = read(arguments.folder, name) or {}
    found.update(database=fixtures.DATABASE_KIND, machine=machine())
    say(f"On {fixtures.DATABASE_KIND}: {', '.join(arguments.only)}")
    made = made_by(_command())
    with fixtures.databases() as databases, fanout() as program:
        work: dict[str, Callable[[], Any]] = {
            "frames": lambda: curves.frames(databases, program, sockets),
            "ends": lambda: curves.ends(databases, ROSTERS[sizes], runs=3),
            "recovery": lambda: curves.recovery(databases, JOURNALS[sizes]),
            "matrices": lambda: curves.matrices(databases, SESSIONS[sizes]),
            "open_sessions": lambda: curves.open_sessions(databases, OPEN_SESSIONS[sizes]),
            "shared_commits": lambda: curves.shared_commits(
                databases, teachers=20, marks=50 if arguments.small else 300
            ),
            "costs": lambda: curves.costs(databases),
        }
        for curve in arguments.only:
            found[curve] = work[curve]()
            found["made"] = {**found.get("made", {}), curve: made}
            path = write(arguments.folder, name, found)
    print(path)
    return 0


def _on_a_server_of_its_own(kind: str) -> int:
    from tests.programs.databases import mongodb, postgresql

    with {"postgresql": postgresql, "mongodb": mongodb}[kind]() as url:
        if url is None:
            return 1
        rest = [sys.executable, "-m", "bench.scale", *_without_start()]
        environment = {**os.environ, "DATABASE_URL": url, "BENCH_COMMAND": _command()}
        return subprocess.run(rest, cwd=ROOT, env=environment, check=False).returncode


def _without_start() -> list[str]:
    at = next(at for at, argument in enumerate(sys.argv) if argument.startswith("--start"))
    return sys.argv[1:at] + sys.argv[at + (1 if "=" in sys.argv[at] else 2) :]


def _command() -> str:
    return os.environ.get("BENCH_COMMAND") or shlex.join(["python", "-m", "bench.scale", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
