"""`manage.py import_marks`: a session's marks from a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.selectors import actor_of
from attendance.marks_file import LABELS, labels, lines_of, read_marks_path
from attendance.marks_import import MarkRow, MarksPlan, Outcome, marks_correct, marks_make, marks_plan
from attendance.models import Session
from audit import trail
from audit.models import Action
from classes.rosters.errors import RosterError
from classes.rosters.tables import named_columns
from core.commands import ExplainedCommand, printable
from core.errors import ApiError, InvalidSchema
from core.ids import new_id, parse_id
from core.plurals import are, counted

EXAMPLE = """\
  python manage.py import_marks 65f1a2b3c4d5e6f708192a3b monday.csv --dry-run
  python manage.py import_marks 65f1a2b3c4d5e6f708192a3b monday.xlsx --reason "from the paper list"

  monday.csv:
    Roll number,Status,Time,Note
    7B-1,P,09:02,
    7B-2,late,09:20,bus
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Marks the students of a session from a file: a paper list that was typed in, or another app's list.\n"
        "An open session gets marks, and an ended one corrections, each with a reason. With one refused line nothing\n"
        "is written. A second run of the same file changes nothing.\n\n"
        "The file is CSV with commas, semicolons or tabs, or a workbook (.xlsx, .xls, .ods). It has a column of roll\n"
        "numbers or of e-mails, one of statuses, and, if you like, a time and a note. Statuses are P, L, A and E, or\n"
        "words such as present, late, absent and excused in English, German, French, Spanish, Hindi and Arabic.\n"
        "A line without a status is left out. A time (09:05, or 2025-03-11 09:05) is the school's, and neither\n"
        "before the session's start nor after now."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("session_id", metavar="SESSION", help="the session's id (24 hex digits)")
        parser.add_argument("file", metavar="FILE", type=Path, help="the marks: a list or a workbook")
        parser.add_argument("--dry-run", action="store_true", help="report what would happen, and write nothing")
        parser.add_argument("--reason", default="", help="why records are corrected, where a line has no note")
        parser.add_argument(
            "--column",
            metavar='COLUMN="HEADING"',
            action="append",
            default=[],
            help="which heading is which column, where the file does not say so by itself; COLUMN is rollNumber, email,"
            " status, time, note or name. May be given several times",
        )
        parser.add_argument("--encoding", help="of a text file that is neither UTF-8 nor UTF-16: windows-1252")

    def handle(
        self,
        *args: Any,
        session_id: str,
        file: Path,
        dry_run: bool,
        reason: str,
        column: Sequence[str],
        encoding: str | None,
        **options: Any,
    ) -> None:
        session = _session(session_id)
        try:
            table = read_marks_path(Path(file), named=named_columns(column, LABELS), encoding=encoding)
            plan = marks_plan(session=session, lines=lines_of(table))
        except (RosterError, ApiError) as failure:
            raise CommandError(printable(str(failure))) from None
        self.stdout.write(printable(f"Read as {table.taken_for}."))
        self.stdout.write(printable(f"Columns: {', '.join(labels(table))}."))
        refused = plan.of(Outcome.REFUSED)
        if dry_run or refused:
            self.stdout.write("Nothing is written. The lines and what they would come to:")
        for row in plan.rows:
            self.stdout.write(printable(_said(row)))
        counts = ", ".join(f"{len(plan.of(outcome))} {outcome.value}" for outcome in Outcome)
        self.stdout.write(f"{counted(len(plan.rows), 'line')}: {counts}.")
        if refused:
            of = f"{len(refused)} of {counted(len(plan.rows), 'line')} {are(len(refused))}"
            raise CommandError(f"Nothing was written: {of} refused.")
        if dry_run:
            self.stdout.write("Nothing was written: this was a dry run.")
            return
        _do(session, plan, reason)
        trail.command(Action.CHANGE, "import_marks", kind="session", thing=session.pk)


def _session(text: str) -> Session:
    key = parse_id(text)
    rows = Session.objects.filter(pk=key, class_ref__removed_at=None).select_related("class_ref__teacher")
    found = rows.first() if key else None
    if found is None:
        raise CommandError(f"No session has the id {text!r}. It stands in the address of its page.")
    return found


def _do(session: Session, plan: MarksPlan, reason: str) -> None:
    """In the name of the class's teacher."""
    teacher = actor_of(session.class_ref.teacher)
    try:
        if plan.corrects:
            marks_correct(actor=teacher, session=session, plan=plan, reason=reason)
        else:
            marks_make(actor=teacher, session=session, plan=plan, key=new_id())
    except InvalidSchema:
        raise CommandError("The session is over. Say why its records are corrected: --reason TEXT") from None
    except ApiError as failure:
        raise CommandError(f"Nothing was written: {failure}.") from None


def _said(row: MarkRow) -> str:
    line = row.line
    who = row.student.name if row.student is not None else line.name or line.email or line.roll_number or "(nobody)"
    text = f"line {line.line}: {who}: {row.outcome.value}"
    if row.outcome is Outcome.MARKED:
        text += f", {row.before.value if row.before else 'no status'} → {line.status and line.status.value}"
    return f"{text}: {row.reason}" if row.reason else text
