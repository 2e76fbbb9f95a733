"""`manage.py export_attendance`: a class's attendance as a table of students and sessions."""

import io
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from attendance.class_report import ClassReport, class_report, table_of, tables_of
from attendance.report_tables import Legend
from audit import trail
from audit.models import Action
from classes.commands import class_find
from core import spreadsheets
from core.commands import ExplainedCommand, day_given
from core.files import replaced
from core.plurals import counted

_KINDS = ("csv", "xlsx")

EXAMPLE = """\
  python manage.py export_attendance "Physics 1" > physics.csv
  python manage.py export_attendance "Physics 1" --from 2025-03-01 --to 2025-03-31 --output march.xlsx
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Exports a class's attendance: a line for each student, a column for each finished session, and totals.\n"
        "The students are those on the roster and those with a record. A cell without a record is empty. Present and\n"
        "late count as attended, and excused lessons are left out. Times are in TIME_ZONE.\n"
        "A workbook has sheets for the lessons, the totals, the weeks, and the rule of counting.\n"
        "In CSV every text is in quotation marks, and none is a formula for a spreadsheet: a quote stands before it.\n"
        "A CSV file begins with the mark that Excel needs. import_roster reads it all again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("class_ref", metavar="CLASS", help="the class's id (24 hex digits) or its name")
        parser.add_argument("--from", dest="since", metavar="YYYY-MM-DD", help="only sessions from this day on")
        parser.add_argument("--to", dest="until", metavar="YYYY-MM-DD", help="only sessions up to this day, included")
        parser.add_argument(
            "--format", choices=_KINDS, help="default: as the output's name ends, or csv where it has no ending"
        )
        parser.add_argument(
            "--output",
            metavar="FILE",
            type=Path,
            help="the file to write. A file of this name is replaced once all is written. Without this option csv goes"
            " to the standard output",
        )
        parser.add_argument(
            "--no-bom",
            dest="mark",
            action="store_false",
            help="write a CSV file without the mark at its front (BOM) by which Excel knows that it is UTF-8. The"
            " standard output never has it",
        )

    def handle(
        self,
        *args: Any,
        class_ref: str,
        since: str | None,
        until: str | None,
        format: str | None,  # noqa: A002  the option's name
        output: Path | None,
        mark: bool,
        **options: Any,
    ) -> None:
        path = Path(output) if output else None
        kind = _kind(format, path)
        if kind == "xlsx" and path is None:
            raise CommandError("A workbook cannot go to the standard output. Name a file: --output FILE.xlsx")
        first, last = day_given("--from", since), day_given("--to", until)
        if first and last and first > last:
            raise CommandError(f"--from {first} is after --to {last}. Both are days in the form YYYY-MM-DD.")
        found = class_find(class_ref)
        trail.command(Action.EXPORT, "export_attendance", kind="class", thing=found.id)
        report = class_report(class_id=found.id, since=first, until=last)
        if path is None:
            spreadsheets.write_csv(self.stdout, table_of(report))
            return
        self.write_file(report, Legend(found.name, first, last, found.threshold), kind, path, mark)
        self.stdout.write(
            f"{counted(len(report.students), 'student')}, {counted(len(report.lessons), 'session')}: {path}"
        )

    def write_file(self, report: ClassReport, about: Legend, kind: str, path: Path, mark: bool) -> None:
        if path.exists() and not path.is_file():
            raise CommandError(f"{path} is not a file. Name one: --output FILE.{kind}")
        try:
            with replaced(path) as file:
                if kind == "xlsx":
                    from attendance import workbook  # noqa: PLC0415  its library is slow to import

                    workbook.write(file, tables_of(report, about))
                else:
                    lines = tqdm(table_of(report), total=len(report.students) + 3, desc="Writing", disable=None)
                    encoding = "utf-8-sig" if mark else "utf-8"
                    text = io.TextIOWrapper(file, encoding=encoding, newline="", write_through=True)
                    spreadsheets.write_csv(text, lines)
                    text.detach()
        except OSError as failure:
            raise CommandError(f"Cannot write {path}: {failure.strerror}.") from None


def _kind(wanted: str | None, path: Path | None) -> str:
    """The kind of file: as `--format` says, or the output's name. The two may not differ."""
    ending = path.suffix.lower().removeprefix(".") if path is not None else ""
    if not ending:
        return wanted or "csv"
    if ending not in _KINDS:
        raise CommandError(f"{path} is no kind of file that this command writes. Name it FILE.csv or FILE.xlsx.")
    if wanted is not None and wanted != ending:
        raise CommandError(f"--format {wanted} and the name {path} say different things. Name it FILE.{wanted}.")
    return ending
