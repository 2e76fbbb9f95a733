"""`manage.py import_roster`: a class's students from a file."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from accounts.passwords import hash_password
from accounts.standing import Author, school_as_author
from audit import trail
from audit.models import Action
from classes.commands import class_find
from classes.rosters.entries import Entry, entries_of
from classes.rosters.errors import RosterError
from classes.rosters.passwords import PasswordFile, roster_import_with_passwords
from classes.rosters.plan import Plan, roster_plan
from classes.rosters.report import head_of, line_of, totals_of
from classes.rosters.sources import read_path
from classes.rosters.tables import named_columns
from classes.rosters.write import roster_import
from core.commands import ExplainedCommand, printable
from core.plurals import are, counted

EXAMPLE = """\
  python manage.py import_roster "Physics 1" students.csv --dry-run
  python manage.py import_roster 65f1a2b3c4d5e6f708192a3b students.xlsx --passwords passwords.csv
  python manage.py import_roster "Physics 1" grades.csv --column email="SIS Login ID"

  students.csv:
    ROLLNO,STUDNAME,EMAIL
    1,Asha Rao,asha@example.com
    2,Ben Ortiz,ben@example.com
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Imports students from a file into a class: makes the missing accounts and enrols all students.\n"
        "With one refused row nothing is written. A second run of the same file changes nothing.\n\n"
        "The file is a list with headings such as name, email and roll number, in English, German, French,\n"
        "Spanish, Portuguese, Italian, Hindi or Arabic; or what another system gives: an attendance report of Teams,\n"
        "Zoom or Google Meet, a gradebook of Canvas, Blackboard or Google Classroom, Moodle's participants,\n"
        "OneRoster's zip or users.csv, or this server's own export. It is CSV with commas, semicolons or tabs,\n"
        "in UTF-8 or UTF-16, or a workbook (.xlsx, .xls, .ods). First it is said what the file was taken for, and\n"
        "which columns are not used.\n\n"
        "A student is known by the e-mail, in any spelling, and a row without e-mail by the roll number. A student\n"
        "who has an account keeps the name there, and gets the roll number if the account has none.\n"
        "A list of names and roll numbers without a column for e-mails makes students who have no e-mail."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("class_ref", metavar="CLASS", help="the class's id (24 hex digits) or its name")
        parser.add_argument("file", metavar="FILE", type=Path, help="the students: a list, a workbook or an export")
        parser.add_argument("--dry-run", action="store_true", help="report what would happen, and write nothing")
        parser.add_argument(
            "--column",
            metavar='COLUMN="HEADING"',
            action="append",
            default=[],
            help="which heading is which column, where the file does not say so by itself; COLUMN is name, firstName,"
            " lastName, email or rollNumber. May be given several times",
        )
        parser.add_argument(
            "--encoding", help="of a text file that is not UTF-8 or UTF-16 and has no mark at its front: windows-1252"
        )
        parser.add_argument(
            "--names-differ",
            action="store_true",
            help="import although more than a third of the known students have another name here than in the file."
            " A sheet that was sorted in one column alone looks so",
        )
        parser.add_argument(
            "--passwords",
            metavar="OUT.csv",
            type=Path,
            help="give each created student a random password, and write name, email and password to this new file,"
            " which only you can read (the roll number for students without an e-mail). Without this option created"
            " students have no password and cannot sign in yet."
            " Until the import is done the file is called OUT.csv.unfinished-…",
        )
        parser.add_argument(
            "--no-bom",
            dest="mark",
            action="store_false",
            help="write OUT.csv without the mark at its front (BOM) by which Excel knows that it is UTF-8",
        )

    def handle(
        self,
        *args: Any,
        class_ref: str,
        file: Path,
        dry_run: bool,
        column: Sequence[str],
        encoding: str | None,
        names_differ: bool,
        passwords: Path | None,
        mark: bool,
        **options: Any,
    ) -> None:
        found = class_find(class_ref)
        class_id, author = found.id, school_as_author(found.teacher_id)
        try:
            table = read_path(Path(file), named=named_columns(column), encoding=encoding)
            for line in head_of(table):
                self.stdout.write(printable(line))
            entries = entries_of(table)
            out = PasswordFile(Path(passwords), mark=mark) if passwords else None
            plan = (
                roster_plan(class_id=class_id, entries=entries, author=author)
                if dry_run
                else self.run(class_id, entries, author, out, names_differ)
            )
        except RosterError as failure:
            raise CommandError(printable(str(failure))) from None
        is_refused = plan.is_refused(names_differ=names_differ)
        self.report(plan, nothing_is_written=dry_run or is_refused)
        if is_refused:
            raise CommandError(_why_refused(plan))
        if not dry_run:
            trail.command(Action.CHANGE, "import_roster", kind="class", thing=class_id)
        if dry_run:
            self.stdout.write("Nothing was written: this was a dry run.")
        elif passwords and plan.created:
            self.stdout.write(f"The passwords are in {passwords}.")
        elif passwords:
            self.stdout.write(f"Nobody was created, so there are no passwords to write to {passwords}.")

    def run(
        self, class_id: str, entries: Sequence[Entry], author: Author, out: PasswordFile | None, names_differ: bool
    ) -> Plan:
        if out is None:
            return roster_import(class_id=class_id, entries=entries, author=author, names_differ=names_differ)
        return roster_import_with_passwords(
            class_id=class_id, entries=entries, author=author, file=out, hashed=_hashed, names_differ=names_differ
        )

    def report(self, plan: Plan, *, nothing_is_written: bool) -> None:
        """Prints a line for each row, then the totals."""
        if nothing_is_written:
            self.stdout.write("Nothing is written. The rows and what they would come to:")
        for row in plan.rows:
            self.stdout.write(printable(line_of(row)))
        self.stdout.write(totals_of(plan))


def _why_refused(plan: Plan) -> str:
    if plan.refused:
        refused = f"{len(plan.refused)} of {counted(len(plan.rows), 'row')} {are(len(plan.refused))}"
        return f"Nothing was written: {refused} refused. Correct them and run it again."
    return (
        f"Nothing was written: {len(plan.known_otherwise)} students are known here by another name. Was the sheet"
        " sorted in one column alone? Then each name stands beside somebody else's address. If the names are right, run"
        " it again with --names-differ."
    )


def _hashed(passwords: Sequence[str]) -> Iterable[str]:
    return [hash_password(password) for password in tqdm(passwords, desc="Hashing passwords", disable=None)]
