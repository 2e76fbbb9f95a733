"""`make bench`: this server beside the yardstick, with --quick the hot path alone, with --storm 50,000 sockets."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from bench import quick, side_by_side, storm
from bench.cores import keep_off_the_server
from bench.results import FOLDER
from bench.yardsticks import Yardsticks


def main() -> int:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("--yardstick", type=Path, metavar="FOLDER", help="another yardstick than the project's own")
    parser.add_argument("--only", nargs="+", choices=side_by_side.PARTS, default=side_by_side.PARTS)
    parser.add_argument("--sockets", type=int, help="of each run (default: 1000, with --storm 50,000)")
    parser.add_argument("--runs", type=int, help="of each server (default: 3, with --quick 6)")
    parser.add_argument(
        "--many", type=int, default=10_000, help="sockets on one process of ours (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="a lone mark and a frame, in under two minutes")
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="with --quick: another checkout of this project")
    parser.add_argument("--storm", action="store_true", help="50,000 sockets on several workers, and a restart")
    parser.add_argument("--workers", type=int, default=storm.WORKERS, help="with --storm (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for the results (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.against and not arguments.quick:
        parser.error("--against is for --quick")
    if arguments.against and not (arguments.against / "manage.py").exists():
        parser.error(f"{arguments.against} is no checkout of this project: it has no manage.py")
    for variable in ("DATABASE_URL", "LIVE_SESSIONS"):
        os.environ.pop(variable, None)  # ours as it comes: on SQLite, one session live
    command = shlex.join(["python", "-m", "bench", *sys.argv[1:]])
    if arguments.storm:
        wanted = {"sockets": arguments.sockets or storm.SOCKETS, "workers": arguments.workers}
        return 0 if storm.run(**wanted, folder=arguments.folder, command=command) else 1
    keep_off_the_server()
    if arguments.quick:
        quick.run(arguments.against, rounds=arguments.runs or quick.ROUNDS, folder=arguments.folder, command=command)
        return 0
    try:
        yardsticks = Yardsticks.of(arguments.yardstick and arguments.yardstick.resolve())
    except ValueError as failure:
        parser.error(str(failure))
    side_by_side.run(
        yardsticks,
        parts=tuple(arguments.only),
        sockets=arguments.sockets or side_by_side.SOCKETS,
        runs=arguments.runs or side_by_side.RUNS,
        many=arguments.many,
        folder=arguments.folder,
        command=command,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
