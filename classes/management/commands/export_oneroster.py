"""`manage.py export_oneroster`: users, classes and enrolments for other systems."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from audit import trail
from audit.models import Action
from classes.oneroster import COLUMNS, School, export, school_year
from core.commands import ExplainedCommand, day_given
from core.files import replaced
from core.times import today

EXAMPLE = """\
  python manage.py export_oneroster school.zip --school "Lincoln School"
  python manage.py export_oneroster school.zip --from 2026-09-01 --to 2027-06-30
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Exports users, classes and enrolments as a zip of OneRoster 1.1 (CSV, bulk), all of one moment.\n"
        "Classes of the archive and people who may not sign in are left out, and so are enrolments that have ended.\n"
        "Names are split before their last word. An address that nobody has proved is left out, and an e-mail may be\n"
        "empty. The zip is for machines: do not open its files in a spreadsheet, since a name that begins like a\n"
        "formula stands in it as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="FILE.zip", type=Path, help="replaced once all is written")
        parser.add_argument("--school", default="School", help="the school's name")
        parser.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="the school year's first day: 1 August")
        parser.add_argument("--to", dest="last", metavar="YYYY-MM-DD", help="its last day, included: 31 July")

    def handle(self, *args: Any, path: Path, school: str, first: str | None, last: str | None, **options: Any) -> None:
        path = Path(path)
        if path.exists() and not path.is_file():
            raise CommandError(f"{path} is not a file.")
        begin, end = school_year(today())
        begin, end = day_given("--from", first) or begin, day_given("--to", last) or end
        if begin > end:
            raise CommandError(f"The school year's first day, {begin}, is after its last, {end}: give --from and --to.")
        if not school.strip():
            raise CommandError("The school needs a name: --school NAME")
        trail.command(Action.EXPORT, "export_oneroster")
        written: list[str] = []
        try:
            with replaced(path) as file, tqdm(total=len(COLUMNS), desc="Writing", unit=" files", disable=None) as bar:
                for name, rows in export(file, School(school, begin, end)):
                    written.append(f"{rows} {name}")
                    bar.update()
        except OSError as failure:
            raise CommandError(f"Cannot write {path}: {failure.strerror}.") from None
        self.stdout.write(f"{', '.join(written)}: {path}")
