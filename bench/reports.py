"""What a class's report costs: seconds and memory until it is read, and until each of its files is written.

    python -m bench.reports              # 200 sessions of 300 students

Each figure is of a process of its own, on a SQLite database that the run makes: the memory is the most that
the process ever had (`VmHWM`), with Django and all that it imports.
"""

import json
import os
import subprocess
import sys
import time
from functools import partial

import django

from bench.results import ROOT, say
from bench.usage import most_memory

SESSIONS, STUDENTS = 200, 300
KINDS = ("json", "csv", "xlsx")


def measure(class_id: str, kind: str) -> dict[str, float]:
    """One report in this process: wall and CPU seconds, and MiB at most."""
    from attendance import class_report
    from attendance.report_files import file_of
    from attendance.report_tables import Legend
    from dialects.v2.serializers.reports import class_report_shown

    began, cpu = time.perf_counter(), time.process_time()
    report, about = class_report.class_report(class_id=class_id), Legend("Class")
    if kind == "json":
        size = len(json.dumps(class_report_shown(report, class_id, about)))
    else:
        file = file_of(kind, class_report.table_of(report), lambda: class_report.tables_of(report, about))
        size = sum(map(len, file))
    return {
        "wall_s": time.perf_counter() - began,
        "cpu_s": time.process_time() - cpu,
        "memory_mib": most_memory() / 1024,
        "bytes": size,
    }


def main() -> None:
    django.setup()
    if len(sys.argv) == 3:
        print(json.dumps(measure(*sys.argv[1:])))
        return
    from bench.curves import finish_sessions
    from bench.fixtures import databases, fill

    with databases() as made:
        database = made.fresh()
        lesson = fill(database, students=STUDENTS, started=False)[0]
        database.ask(partial(finish_sessions, lesson, SESSIONS))
        say(f"{SESSIONS} sessions of {STUDENTS} students")
        for kind in KINDS:
            run = subprocess.run(
                [sys.executable, "-m", "bench.reports", lesson.class_id, kind],
                env={**os.environ, "DATABASE_URL": database.url},
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            found = json.loads(run.stdout)
            say(
                f"{kind:>5}: {found['wall_s']:.2f} s ({found['cpu_s']:.2f} s of CPU), at most"
                f" {found['memory_mib']:.0f} MiB in the process, {found['bytes'] / 1e6:.2f} MB"
            )


if __name__ == "__main__":
    main()
