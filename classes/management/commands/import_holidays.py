"""`manage.py import_holidays`: the school's holidays from a calendar file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit import trail
from audit.models import Action
from classes.calendars.reasons import CalendarError
from classes.calendars.rows import Row
from classes.calendars.scanning import LARGEST
from classes.holidays import HolidaysImport, holidays_import_plan, holidays_write
from core.commands import ExplainedCommand, printable
from core.plurals import are, counted

EXAMPLE = """\
  python manage.py import_holidays holidays.ics --dry-run
  python manage.py import_holidays holidays.ics
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        "Adds the holidays of a calendar file (iCalendar, .ics): its events of whole days. On these days timetables\n"
        "have no lessons, and none opens by itself; what was held and recorded stays.\n\n"
        "Holidays that are there already are not added again, and none goes: the admin and the pages remove one.\n"
        "What has no end, such as a day of every year, is taken for a year. With one refused event nothing is written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="the calendar file")
        parser.add_argument("--dry-run", action="store_true", help="report what would happen, and write nothing")

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            found = holidays_import_plan(_read(Path(file)))
        except CalendarError as failure:
            raise CommandError(printable(f"{file}: {failure}")) from None
        self.report(found)
        if found.plan.refused:
            raise CommandError(
                f"Nothing was written: {len(found.plan.refused)} of {counted(len(found.plan.rows), 'event')}"
                f" {are(len(found.plan.refused))} refused."
            )
        if dry_run:
            self.stdout.write("Nothing was written: this was a dry run.")
            return
        new = holidays_write(found.plan.spans)
        trail.command(Action.CHANGE, "import_holidays", kind="holiday")
        self.stdout.write(f"New holidays: {len(new)}. There already: {len(found.plan.spans) - len(new)}.")

    def report(self, found: HolidaysImport) -> None:
        """Prints a line for each event that is not taken as it stands, then one for each holiday."""
        for row in found.plan.rows:
            if row.reason is not None:
                self.stdout.write(printable(_line(row)))
        new = set(found.new)
        for span in found.plan.spans:
            word = "new" if span in new else "there already"
            self.stdout.write(printable(f"{span.since} to {span.until}  {word}  {span.name}"))


def _line(row: Row) -> str:
    return f"line {row.line}  {row.outcome.replace('_', ' ')}  {row.name}: {row.reason}"


def _read(path: Path) -> bytes:
    """The file's bytes, as far as one is read at all."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as failure:
        raise CommandError(printable(f"Cannot read {path}: {failure.strerror}.")) from None
    except ValueError:
        raise CommandError("The file's name has a NUL character.") from None
