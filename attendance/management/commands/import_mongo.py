"""`manage.py import_mongo`: an existing Node system's data, from its MongoDB or from mongoexport's files."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from attendance.importing import sources
from attendance.importing.plan import COLLECTIONS, Outcome, Plan, Row, plan_import, source_of
from attendance.importing.sources import SourceError
from attendance.importing.write import run_import
from core.commands import ExplainedCommand, printable

EXAMPLE = """\
  python manage.py import_mongo mongodb://127.0.0.1:27017/attendance-system --dry-run
  python manage.py import_mongo mongodb://127.0.0.1:27017/school --classes classmodels

  for name in users classes attendances; do
    mongoexport --uri mongodb://127.0.0.1:27017/school --collection $name --out export/$name.json
  done
  python manage.py import_mongo export/
  python manage.py import_mongo --users people.json --classes classes.json
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Imports users, classes and attendances of an existing Node system into this server's database.\n"
        "All or nothing: with one refused document nothing is written. Running it twice changes nothing.\n"
        "Stop the old system first, and make a dry run. The source is only read. Import before this server is in\n"
        "use: nobody else can write meanwhile, about 20 seconds for 10,000 users and 100,000 attendances.\n\n"
        "SOURCE is a MongoDB's address, with the database's name in it, or a folder of files as mongoexport\n"
        "writes them: JSON lines or arrays, extended JSON, users.json, classes.json, attendances.json. Mongoose's\n"
        "names for other models (classmodels, attendance) are found too.\n\n"
        "Ids stay as they are, and everybody signs in with the password they have: its bcrypt hash is replaced at\n"
        "the first login. What is here already under the same id is left as it is, and reported where it differs\n"
        "(passwords are not compared).\n\n"
        "Attendances have no session in those systems. A class whose attendances name each student once gets one\n"
        "finished session. Of another class, those made within ten minutes of the one before are one session, and\n"
        "a student who appears again begins a new one. The time is createdAt, else the time in the _id."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="SOURCE", nargs="?", help="mongodb://host:27017/name, or a folder")
        for name in sources.NAMES:
            parser.add_argument(
                f"--{name}", metavar="NAME", help=f"the collection, or the path of the file, of the {name}"
            )
        parser.add_argument("--dry-run", action="store_true", help="report what would happen, and write nothing")
        parser.add_argument(
            "--skip-refused",
            action="store_true",
            help="import the good documents though others are refused; what depends on those is refused too",
        )

    def handle(self, *args: Any, source: str | None, dry_run: bool, skip_refused: bool, **options: Any) -> None:
        try:
            found = sources.read(source, {name: options[name] for name in sources.NAMES})
            shaped = source_of(
                {
                    name: documents and tqdm(documents, desc=f"Checking {name}", disable=None)
                    for name, documents in found.items()
                }
            )
            plan = plan_import(shaped) if dry_run else run_import(shaped, skip_refused=skip_refused)
        except SourceError as failure:
            raise CommandError(str(failure)) from None
        stopped = bool(plan.refused) and not skip_refused
        if dry_run or stopped:
            self.stdout.write("Nothing is written. What the documents would come to:")
        for name, documents in found.items():
            if documents is None:
                self.stdout.write(f"{name}: the source has none")
        self.report(plan)
        if stopped:
            raise CommandError(
                f"Nothing was written: {plan.refused} refused. Correct them and run it again,"
                " or import the others by --skip-refused."
            )
        if dry_run:
            self.stdout.write("Nothing was written: this was a dry run.")

    def report(self, plan: Plan) -> None:
        """A line for each document that is refused or kept, then the totals."""
        for row in plan.rows:
            self.stdout.write(_line(row))
        for name in COLLECTIONS:
            counts = [f"{plan.totals[name, outcome]} {outcome.value}" for outcome in Outcome]
            self.stdout.write(f"{name}: {', '.join(counts)}")
        sessions = sum(lesson.known_seq is None for lesson in plan.lessons)
        self.stdout.write(f"sessions: {sessions} created")


def _line(row: Row) -> str:
    return printable(f"{row.place}: {row.label}: {row.outcome.value}: {row.reason}")
