"""`manage.py import_holidays`: the school's holidays from a calendar file, each once."""

import io
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from audit.models import Entry
from classes import holidays
from classes.calendars.holidays import Span
from classes.models import Holiday

pytestmark = pytest.mark.django_db(transaction=True)

CALENDAR = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:easter
SUMMARY:Easter
DTSTART;VALUE=DATE:20250414
DTEND;VALUE=DATE:20250426
END:VEVENT
BEGIN:VEVENT
UID:day
SUMMARY:Sports day
DTSTART;VALUE=DATE:20250507
END:VEVENT
BEGIN:VEVENT
UID:meeting
SUMMARY:Meeting
DTSTART:20250508T150000
DURATION:PT1H
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "holidays.ics"
    made.write_text(CALENDAR)
    return made


def run(*arguments: object) -> list[str]:
    out = io.StringIO()
    call_command("import_holidays", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


def test_each_holiday_is_added_once_and_every_event_is_said(path: Path) -> None:
    assert run(path) == [
        "line 13  left out  Meeting: An event with a time is no holiday.",
        "2025-04-14 to 2025-04-25  new  Easter",
        "2025-05-07 to 2025-05-07  new  Sports day",
        "New holidays: 2. There already: 0.",
    ]
    assert list(Holiday.objects.values_list("name", "since", "until")) == [
        ("Easter", date(2025, 4, 14), date(2025, 4, 25)),
        ("Sports day", date(2025, 5, 7), date(2025, 5, 7)),
    ]
    assert Entry.objects.get().way == "manage.py import_holidays"
    assert run(path)[-1] == "New holidays: 0. There already: 2."
    assert Holiday.objects.count() == 2


def test_a_dry_run_writes_nothing(path: Path) -> None:
    assert run(path, "--dry-run")[-1] == "Nothing was written: this was a dry run."
    assert not Holiday.objects.exists()


def test_with_a_refused_event_nothing_is_written(path: Path) -> None:
    path.write_text(CALENDAR.replace("VALUE=DATE:20250507", "VALUE=DATE:soon"))
    with pytest.raises(CommandError, match=r"Nothing was written: 1 of 3 events is refused\."):
        run(path)
    assert not Holiday.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "This is no calendar file"), (b"x" * 2_000_000, "larger than 1024 KB"), (None, "No such file")],
)
def test_a_file_that_cannot_be_read_is_said_why(path: Path, content: bytes | None, said: str) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        run(path)


def test_of_two_imports_at_once_each_holiday_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = [Span(date(2025, 4, 14), date(2025, 4, 25), "Easter")]
    new, late = holidays._new, iter([True])

    def overtaken(wanted: list[Span]) -> list[Span]:
        found = new(wanted)
        if next(late, False):
            Holiday.objects.bulk_create([Holiday(name=span.name, since=span.since, until=span.until) for span in found])
        return found

    monkeypatch.setattr(holidays, "_new", overtaken)
    holidays.holidays_write(spans)
    assert Holiday.objects.count() == 1
