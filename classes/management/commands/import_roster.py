"""`manage.py import_roster`: a class's students from a CSV file."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from accounts.passwords import hash_password
from accounts.standing import Author, school_as_author
from classes.commands import class_find
from classes.rosters.entries import Entry, entries_of
from classes.rosters.errors import RosterError
from classes.rosters.passwords import PasswordFile, roster_import_with_passwords
from classes.rosters.plan import Plan, roster_plan
from classes.rosters.report import line_of, totals_of
from classes.rosters.sources import read_csv
from classes.rosters.write import roster_import
from core.commands import ExplainedCommand, printable

EXAMPLE = """\
  python manage.py import_roster "Physics 1" students.csv --dry-run
  python manage.py import_roster 65f1a2b3c4d5e6f708192a3b students.csv --passwords passwords.csv

  students.csv:
    ROLLNO,STUDNAME,EMAIL
    1,Asha Rao,asha@example.com
    2,Ben Ortiz,ben@example.com
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Imports students from a CSV file into a class: makes the missing accounts and enrols all students.\n"
        "With one refused row nothing is written. A second run of the same file changes nothing.\n\n"
        "The first line has the headings name and email, or STUDNAME and EMAIL, and if you like rollNumber or\n"
        "ROLLNO, in any letter case. Other columns are ignored. The file is UTF-8, with commas, semicolons or\n"
        "tabs. A student is known by the e-mail, in any letter case, and a row without e-mail by the roll number.\n"
        "A student who has an account keeps the name there, and gets the roll number if the account has none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("class_ref", metavar="CLASS", help="the class's id (24 hex digits) or its name")
        parser.add_argument("file", metavar="FILE.csv", type=Path, help="the students, one a line below the headings")
        parser.add_argument("--dry-run", action="store_true", help="report what would happen, and write nothing")
        parser.add_argument(
            "--passwords",
            metavar="OUT.csv",
            type=Path,
            help="give each created student a random password, and write name, email and password to this new file,"
            " which only you can read. Without this option created students have no password and cannot sign in yet."
            " Until the import is done the file is called OUT.csv.unfinished-…",
        )

    def handle(
        self, *args: Any, class_ref: str, file: Path, dry_run: bool, passwords: Path | None, **options: Any
    ) -> None:
        found = class_find(class_ref)
        class_id, author = found.id, school_as_author(found.teacher_id)
        path = Path(passwords) if passwords else None
        try:
            entries = entries_of(read_csv(Path(file)))
            plan = (
                self.dry_run(class_id, entries, author, path) if dry_run else self.run(class_id, entries, author, path)
            )
        except RosterError as failure:
            raise CommandError(str(failure)) from None
        self.report(plan, nothing_is_written=dry_run or bool(plan.refused))
        if plan.refused:
            raise CommandError(
                f"Nothing was written: {len(plan.refused)} of {len(plan.rows)} rows are refused."
                " Correct them and run it again."
            )
        if dry_run:
            self.stdout.write("Nothing was written: this was a dry run.")
        elif passwords and plan.created:
            self.stdout.write(f"The passwords are in {passwords}.")
        elif passwords:
            self.stdout.write(f"Nobody was created, so there are no passwords to write to {passwords}.")

    def dry_run(self, class_id: str, entries: Sequence[Entry], author: Author, passwords: Path | None) -> Plan:
        if passwords is not None:
            PasswordFile(passwords)  # raises where the import could not write it
        return roster_plan(class_id=class_id, entries=entries, author=author)

    def run(self, class_id: str, entries: Sequence[Entry], author: Author, passwords: Path | None) -> Plan:
        if passwords is None:
            return roster_import(class_id=class_id, entries=entries, author=author)
        return roster_import_with_passwords(
            class_id=class_id, entries=entries, author=author, path=passwords, hashed=_hashed
        )

    def report(self, plan: Plan, *, nothing_is_written: bool) -> None:
        """Prints a line for each row, then the totals."""
        if nothing_is_written:
            self.stdout.write("Nothing is written. The rows and what they would come to:")
        for row in plan.rows:
            self.stdout.write(printable(line_of(row)))
        self.stdout.write(totals_of(plan))


def _hashed(passwords: Sequence[str]) -> Iterable[str]:
    return [hash_password(password) for password in tqdm(passwords, desc="Hashing passwords", disable=None)]
