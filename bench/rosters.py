"""`python -m bench.rosters`: how long lists of students take to be read and planned, and how much memory.

Each list is read in a process of its own, on an empty database. The memory is the whole process'
at its highest, with Django and the database in it.
"""

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable

ROWS = 5_000
EMPTY = 1_000_000


def _csv() -> bytes:
    lines = (f"Student {n},s{n}@school.example,{n:05},7B\n" for n in range(ROWS))
    return ("name,email,rollNumber,class\n" + "".join(lines)).encode()


def _xlsx(rows: int = ROWS) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("7B")
    sheet.append(["name", "email", "rollNumber", "class"])
    for n in range(rows):
        sheet.append([f"Student {n}", f"s{n}@school.example", f"{n:05}", "7B"])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _empty_csv() -> bytes:
    return b"name,email,rollNumber,class\nAsha,asha@school.example,1,7B\n" + b",,,\n" * EMPTY


def _empty_xlsx() -> bytes:
    """A student, and a million rows of which every cell has a format and no text."""
    made = io.BytesIO()
    cells = "".join(f'<c r="{column}{{n}}" s="1"/>' for column in "ABCD")
    with zipfile.ZipFile(io.BytesIO(_xlsx(1))) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name != "xl/worksheets/sheet1.xml":
                new.writestr(name, content)
                continue
            begin, _, end = content.partition(b"</sheetData>")
            with new.open(name, "w") as sheet:
                sheet.write(begin)
                for n in range(3, EMPTY + 3):
                    sheet.write(f'<row r="{n}">{cells.format(n=n)}</row>'.encode())
                sheet.write(b"</sheetData>" + end)
    return made.getvalue()


LISTS: dict[str, Callable[[], bytes]] = {
    f"CSV of {ROWS:,} students": _csv,
    f"workbook of {ROWS:,} students": _xlsx,
    f"CSV of {EMPTY:,} empty rows": _empty_csv,
    f"workbook of {EMPTY:,} empty rows": _empty_xlsx,
}


def measure(data: bytes) -> None:
    """Reads and plans one list in this process, and prints the seconds and the megabytes."""
    import django

    django.setup()
    from django.core.management import call_command

    from accounts.models import User
    from accounts.standing import school_as_author
    from classes.models import Class
    from classes.rosters.entries import entries_of
    from classes.rosters.plan import roster_plan
    from classes.rosters.sources import read_file
    from core.identity import Role

    call_command("migrate", verbosity=0)
    teacher = User(name="Tara", email="tara@school.example", role=Role.TEACHER, password="!")
    teacher.save()
    found = Class.objects.create(name="7B", teacher=teacher)
    began = time.perf_counter()
    entries = entries_of(read_file(data, name="list"))
    plan = roster_plan(class_id=found.id, entries=entries, author=school_as_author(teacher.id))
    took = time.perf_counter() - began
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(plan.rows):,} rows planned in {took:.2f} s, {highest:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser("python -m bench.rosters", description=__doc__)
    parser.add_argument("--list", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.list:
        measure(sys.stdin.buffer.read())
        return
    for name, make in LISTS.items():
        print(f"{name}: ", end="", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "attendance_project.settings", "DATA_DIR": folder}
            environment.pop("DATABASE_URL", None)
            command = [sys.executable, "-m", "bench.rosters", "--list", name]
            subprocess.run(command, input=make(), env=environment, check=True)


if __name__ == "__main__":
    main()
