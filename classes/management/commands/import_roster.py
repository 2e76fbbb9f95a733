"""`manage.py import_roster`: a class's students from a CSV file."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from accounts.passwords import hash_password
from classes import rosters
from classes.rosters import Outcome, Report, RosterError, Row
from core.commands import ExplainedCommand

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
        "Imports students from a CSV file into a class: creates those who have no account yet and enrols all.\n"
        "All or nothing: with one refused row nothing is written. Running it twice changes nothing.\n\n"
        "The first line has the headings name and email, or STUDNAME and EMAIL, and if you like rollNumber or\n"
        "ROLLNO, in any letter case; other columns are ignored. The file is UTF-8, with commas, semicolons or\n"
        "tabs. A student is known by the e-mail, in any letter case; where that is empty, by the roll number.\n"
        "The names of students who have an account stay as they are; a roll number they lack is noted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("class_ref", metavar="CLASS", help="the class's id (24 hex digits) or its name")
        parser.add_argument("file", metavar="FILE.csv", type=Path, help="the students, one a line below the headings")
        parser.add_argument("--dry-run", action="store_true", help="report what would happen, and write nothing")
        parser.add_argument(
            "--passwords",
            metavar="OUT.csv",
            type=Path,
            help="give each created student a random password, and write name, email, password to this new file,"
            " which only you can read; without it created students have no password and cannot sign in yet."
            " Until the import is done the file is called OUT.csv.unfinished-…",
        )

    def handle(
        self, *args: Any, class_ref: str, file: Path, dry_run: bool, passwords: Path | None, **options: Any
    ) -> None:
        try:
            report = self.run(class_ref, Path(file), dry_run, Path(passwords) if passwords else None)
        except RosterError as failure:
            raise CommandError(str(failure)) from None
        nothing = dry_run or bool(report.refused)
        self.report(report, nothing_is_written=nothing)
        if report.refused:
            raise CommandError(
                f"Nothing was written: {len(report.refused)} of {len(report.rows)} rows are refused."
                " Correct them and run it again."
            )
        if dry_run:
            self.stdout.write("Nothing was written: this was a dry run.")
        elif passwords and report.created:
            self.stdout.write(f"The passwords are in {passwords}.")
        elif passwords:
            self.stdout.write(f"Nobody was created, so there are no passwords to write to {passwords}.")

    def run(self, class_ref: str, file: Path, dry_run: bool, passwords: Path | None) -> Report:
        found = rosters.class_find(class_ref)
        entries = rosters.roster_read(file)
        if passwords is not None:
            if not dry_run:
                return rosters.roster_import_with_passwords(
                    class_id=found.id, entries=entries, path=passwords, hashed=_hashed
                )
            rosters.PasswordFile(passwords)  # says so where it could not be written
        if dry_run:
            return rosters.roster_plan(class_id=found.id, entries=entries)
        return rosters.roster_import(class_id=found.id, entries=entries)

    def report(self, report: Report, *, nothing_is_written: bool) -> None:
        """A line for each row, then the totals."""
        if nothing_is_written:
            self.stdout.write("Nothing is written. The rows and what they would come to:")
        for row in report.rows:
            self.stdout.write(_line(row))
        counts = [f"{len(report.of(outcome))} {outcome.value}" for outcome in Outcome]
        self.stdout.write(f"{len(report.rows)} rows: {', '.join(counts)}.")


def _line(row: Row) -> str:
    entry = row.entry
    who = f"{entry.name or '(no name)'} <{entry.email}>" if entry.email else entry.name or "(no name)"
    text = f"line {entry.line}: {who}: {row.outcome.value}"
    if row.adds_roll_number:
        text += f", roll number {entry.roll_number} noted"
    text += f": {row.reason}" if row.reason else ""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _hashed(passwords: Sequence[str]) -> Iterable[str]:
    return [hash_password(password) for password in tqdm(passwords, desc="Hashing passwords", disable=None)]
