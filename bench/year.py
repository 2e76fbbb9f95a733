"""What a school costs for a year, and for five: how large its database becomes, and what its pages and reports take.

    python -m bench.year                          # on SQLite
    python -m bench.year --start postgresql       # on a PostgreSQL of its own; DATABASE_URL=… names another

With `--database URL` the school is made in that database, if nobody has an account there, and stays; else the school
that is there is measured. So it can be made beside other work, and measured alone.

2,000 students and 40 lessons a day are generated (`bench/school.py`), once for each number of years. Then the tables
are measured (`bench/sizes.py`), everything is asked that reads them (`bench/asked.py`), and the commands run that read
everything. The results are in FOLDER/year-DATABASE.json, for `make bench-docs`.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.results import FOLDER, ROOT, Figures, machine, made_by, read, say, write

if TYPE_CHECKING:
    from bench.school import Plan, School
    from tests.support.database import Database, Databases

YEARS: Sequence[int] = (1, 5)
#: What is measured of a school.
PARTS = ("sizes", "asked", "commands")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=int, nargs="+", default=YEARS, help="of each a school (default: 1 5)")
    parser.add_argument("--database", metavar="URL", help="where the school stays; a single number of years")
    parser.add_argument("--make", action="store_true", help="only make the school in the database")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="the others stay as they were")
    parser.add_argument("--days", type=int, default=190, help="school days of a year (default: %(default)s)")
    parser.add_argument("--start", choices=["postgresql", "mongodb"], help="start a database server for this run")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for the results (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.start:
        return _on_a_server_of_its_own(arguments.start)
    if arguments.database:
        os.environ["DATABASE_URL"] = arguments.database

    import bench.environment  # noqa: F401  before any model, on the database that is to be used
    from bench import fixtures
    from bench.school import Plan
    from bench.year_table import as_text

    name = f"year-{fixtures.DATABASE_KIND}"
    made = made_by(_command())
    found = read(arguments.folder, name) or {}
    found.update(database=fixtures.DATABASE_KIND, machine=machine())
    with fixtures.databases() as databases:
        for years in arguments.years:
            database = _given(arguments.database) if arguments.database else databases.fresh()
            school = _school(database, Plan(years=years, days=arguments.days))
            if arguments.make:
                return 0
            of_years = found.setdefault("years", {}).setdefault(str(years), {})
            of_years.update(years=years, **measured(database, databases, school, arguments.only))
            of_years["made"] = {**of_years.get("made", {}), **dict.fromkeys(arguments.only, made)}
            path = write(arguments.folder, name, found)
            print(as_text(of_years))
    print(path)
    return 0


def _given(url: str) -> "Database":
    """The database of this address, with its tables. RuntimeError if they cannot be made."""
    from tests.support.database import Database, manage

    database = Database(url, ROOT / "var" / "year")
    made = manage("migrate", "--verbosity", "0", database=database)
    if made.returncode:
        raise RuntimeError(made.stderr)
    return database


def _school(database: "Database", plan: "Plan") -> "School":
    from bench.school import find_school, make_school

    return database.ask(find_school) or database.ask(lambda: make_school(plan, say))


def measured(database: "Database", databases: "Databases", school: "School", parts: Sequence[str]) -> Figures:
    """These parts of the figures of the school in the database."""
    from bench import sizes

    found: Figures = {}
    if "sizes" in parts:
        found = {"lessons": school.lessons, "marks": school.marks}
        found["database_bytes"] = database.ask(sizes.database_bytes)
        found["tables"] = [asdict(size) for size in database.ask(sizes.sizes)]
    if "asked" in parts:
        found["asked"] = database.ask(partial(_asked, school))
    if "commands" in parts:
        found["commands"] = _commands(database, databases, school)
    return found


def _asked(school: "School") -> dict[str, Figures]:
    from django.test.utils import override_settings

    from bench.asked import everything, measured

    found: dict[str, Figures] = {}
    with override_settings(LIMITS=False, NOTICE_TO=["guardians"]):
        for name, ask in everything(school):
            taken = measured(ask)
            say(f"{name}: {taken.ms:,.0f} ms, {taken.statements} statements")
            found[name] = asdict(taken)
    return found


def _commands(database: "Database", databases: "Databases", school: "School") -> dict[str, Figures]:
    """Seconds, and MiB at most, of the commands that read everything, and of the start of a server."""
    from tests.support.server import Server

    found: dict[str, Figures] = {}
    file = database.path.with_suffix(".zip")
    for name, arguments, on in (
        ("export_attendance", ["export_attendance", school.groups[0].id, "--output", f"{file}.csv"], database),
        ("export_oneroster", ["export_oneroster", f"{file}.oneroster.zip", "--school", "School"], database),
        ("backup", ["backup", str(file)], database),
        ("restore", ["restore", str(file)], databases.fresh()),
    ):
        found[name] = _run(arguments, on)
        say(f"manage.py {name}: {found[name]['seconds']:.1f} s, at most {found[name]['memory_mib']:.0f} MiB")
    found["backup"]["bytes"] = file.stat().st_size
    began = time.perf_counter()
    with Server(database):
        found["serve"] = {"seconds": time.perf_counter() - began}
    return found


def _run(arguments: Sequence[str], database: "Database") -> Figures:
    """Seconds, and what the process had in memory at most. RuntimeError if the command fails."""
    from tests.support.database import environment_of

    began = time.perf_counter()
    command = [sys.executable, "-m", "bench.peak", *arguments]
    run = subprocess.run(
        command, cwd=ROOT, env=environment_of(database, {}), capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise RuntimeError(f"manage.py {' '.join(arguments)} failed:\n{run.stderr}")
    return {"seconds": time.perf_counter() - began, "memory_mib": int(run.stdout.split()[-1]) / 1024}


def _on_a_server_of_its_own(kind: str) -> int:
    from tests.programs.databases import mongodb, postgresql

    with {"postgresql": postgresql, "mongodb": mongodb}[kind]() as url:
        if url is None:
            return 1
        at = next(at for at, argument in enumerate(sys.argv) if argument.startswith("--start"))
        rest = sys.argv[1:at] + sys.argv[at + (1 if "=" in sys.argv[at] else 2) :]
        environment: dict[str, Any] = {**os.environ, "DATABASE_URL": url, "BENCH_COMMAND": _command()}
        command = [sys.executable, "-m", "bench.year", *rest]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _command() -> str:
    """The command of this run, without the places of this machine."""
    said = os.environ.get("BENCH_COMMAND") or shlex.join(["python", "-m", "bench.year", *sys.argv[1:]])
    return re.sub(r" --(?:database|folder)[ =]\S+", "", said)


if __name__ == "__main__":
    sys.exit(main())
