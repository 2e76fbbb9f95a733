"""The pages of a class's timetable, and the office's page of holidays."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from attendance.models import Session
from classes.models import Class, Holiday, Slot
from tests.api.rest import School
from tests.support.http import Client
from tests.web.people import signed_in, text_of, words_of

pytestmark = pytest.mark.django_db(transaction=True)

#: A lesson on Mondays in March 2025 but for the 10th, and two whole days.
CALENDAR = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
SUMMARY:<b>Physics</b>
LOCATION:B 12
DTSTART:20250303T090000
DTEND:20250303T094500
RRULE:FREQ=WEEKLY;COUNT=4
EXDATE:20250310T090000
END:VEVENT
BEGIN:VEVENT
UID:2
SUMMARY:Trip
DTSTART;VALUE=DATE:20250305
DTEND;VALUE=DATE:20250307
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def school(transactional_db: None) -> School:
    return School()


@pytest.fixture
def path(school: School) -> str:
    return f"/app/classes/{school.class_id}/timetable"


@pytest.fixture
def office(school: School, make_boss: Callable[[], User]) -> Client:
    return signed_in(make_boss())


def seen(html: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', html)
    assert found is not None
    return found[1].replace("&quot;", '"')


def token(html: str) -> str:
    found = re.search(r'name="token" value="([0-9a-f]+)"', html)
    assert found is not None
    return found[1]


def sent(text: str) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("lessons.ics", text.encode())}


def follow(browser: Client, answer: Any) -> str:
    return words_of(text_of(browser.get(answer["Location"])))


def test_a_teacher_adds_changes_and_removes_lessons_and_sees_the_week(owner: Client, path: str) -> None:
    html = text_of(owner.get(path))
    assert "The class has no timetable yet." in html
    lesson = {"weekday": "2", "start": "09:00", "end": "09:45", "room": "B 12", "left_out": "2025-03-18, 2025-03-11"}
    said = follow(owner, owner.post(path, {**lesson, "seen": seen(html)}))
    assert "The timetable is changed." in said
    assert "not on 2 days" in said
    week = words_of(text_of(owner.get(f"{path}?day=2025-03-06")))
    assert "The week of March 3, 2025" in week
    assert "9:00 AM – 9:45 AM B 12" in week.partition("Every week")[0]
    for without in ("2025-03-13", "2025-03-16"):
        assert "B 12" not in words_of(text_of(owner.get(f"{path}?day={without}"))).partition("Every week")[0]
    html = text_of(owner.get(f"{path}/1"))
    assert 'value="2025-03-11 2025-03-18"' in html
    follow(owner, owner.post(f"{path}/1", {**lesson, "left_out": "", "weekday": "5", "seen": seen(html)}))
    assert list(Slot.objects.values_list("weekday", "left_out")) == [(5, "")]
    said = follow(owner, owner.post(f"{path}/1", {"remove": "1", "seen": seen(text_of(owner.get(f"{path}/1")))}))
    assert "The lesson is taken out of the timetable." in said
    assert not Slot.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"start": "09:30"}, "Another lesson of the class is at this time."),
        ({"end": "08:00"}, "The end is not after the start."),
        ({"since": "2025-03-02", "until": "2025-03-01"}, "The last day is before the first."),
        ({"left_out": "soon"}, "Enter a valid date."),
        ({"left_out": "0001-01-01"}, "Enter a valid date."),
        ({"weekday": "8"}, "Select a valid choice."),
        ({"since": "9999-12-31"}, "Enter a valid date."),
    ],
)
def test_what_is_wrong_with_a_lesson_is_said_beside_it(
    owner: Client, school: School, path: str, change: dict[str, str], said: str
) -> None:
    Slot.objects.create(class_ref=Class.objects.get(), weekday=1, start="09:00", end="10:00")
    lesson = {"weekday": "1", "start": "10:00", "end": "11:00", "seen": seen(text_of(owner.get(path)))}
    assert said in text_of(owner.post(path, lesson | change), 400)
    assert Slot.objects.count() == 1


def test_a_timetable_that_somebody_else_changed_is_not_overruled(owner: Client, school: School, path: str) -> None:
    before = seen(text_of(owner.get(path)))
    Slot.objects.create(class_ref=Class.objects.get(), weekday=1, start="09:00", end="10:00")
    lesson = {"weekday": "2", "start": "09:00", "end": "10:00", "seen": before}
    text_of(owner.post(path, lesson), 412)
    text_of(owner.post(f"{path}/1", {"remove": "1", "seen": before}), 412)
    assert Slot.objects.get().weekday == 1
    assert owner.get(f"{path}/2").status_code == 404


def test_lessons_open_by_themselves_once_the_teacher_says_so(owner: Client, path: str) -> None:
    assert "Lessons are opened by hand." in text_of(owner.get(path))
    assert "end ten minutes after their end" in follow(owner, owner.post(f"{path}/opening"))
    assert Class.objects.get().opens_by_itself
    assert "Lessons are opened by hand." in follow(owner, owner.post(f"{path}/opening", {"off": "1"}))


def test_a_calendar_is_shown_event_by_event_and_then_taken_as_it_was_shown(owner: Client, path: str) -> None:
    html = text_of(owner.post(f"{path}/import", sent(CALENDAR)))
    said = words_of(html)
    assert "&lt;b&gt;Physics" in html
    assert "An event of whole days is no lesson." in said
    assert "March 3, 2025 – March 24, 2025 not on 1 day" in said
    assert not Slot.objects.exists()
    assert "The class has its new timetable." in follow(owner, owner.post(f"{path}/import", {"token": token(html)}))
    assert list(Slot.objects.values_list("weekday", "start", "room")) == [(1, "09:00", "B 12")]
    again = owner.post(f"{path}/import", {"token": token(html)})
    assert "Choose the file once more." in text_of(again, 400)


def test_what_changed_since_the_preview_is_shown_first(owner: Client, path: str) -> None:
    html = text_of(owner.post(f"{path}/import", {**sent(CALENDAR), "until": "2025-03-04"}))
    Slot.objects.create(class_ref=Class.objects.get(), weekday=5, start="08:00", end="09:00")
    html = text_of(owner.post(f"{path}/import", {"token": token(html)}), 412)
    assert "Something has changed meanwhile." in html
    assert "The class has 1 weekly lesson now." in html
    owner.post(f"{path}/import", {"token": token(html)})
    assert Slot.objects.get().until == date(2025, 3, 3)


@pytest.mark.parametrize(
    ("text", "said", "status"),
    [
        ("name,email", "This is no calendar file.", 400),
        (CALENDAR[:-30], "The file ends in the middle of a calendar.", 400),
        (CALENDAR.replace("WEEKLY", "HOURLY"), "The file cannot be taken before the events", 200),
    ],
)
def test_a_calendar_that_cannot_be_taken_is_said_why(
    owner: Client, path: str, text: str, said: str, status: int
) -> None:
    html = text_of(owner.post(f"{path}/import", sent(text)), status)
    assert said in html
    assert 'name="token" value="' not in html


def test_todays_lessons_wait_on_the_first_page_and_the_next_one_first(
    owner: Client, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2025, 3, 10, 9, 30, tzinfo=UTC)  # a Monday
    for name in ("core.times.now", "web.views.home.now"):
        monkeypatch.setattr(name, lambda: moment)
    monkeypatch.setattr("web.views.home.today", lambda: moment.date())
    for start, end in (("08:00", "08:45"), ("09:00", "09:45"), ("14:00", "14:45")):
        Slot.objects.create(class_ref=Class.objects.get(), weekday=1, start=start, end=end, room="Lab 2")
    started = Session.objects.create(class_ref=Class.objects.get(), started_by=school.owner, started_at=moment)

    def lessons() -> str:
        page = text_of(owner.get("/app/"))
        return words_of(page.partition('id="lessons"')[2].partition("</ol>")[0])

    assert re.findall("not taken|Live|Start|The record", lessons()) == ["not taken", "Live", "Start"]
    Session.objects.filter(pk=started.pk).update(state="ended", ended_at=moment)
    assert re.findall("not taken|Live|Start|The record", lessons()) == ["not taken", "The record", "Start"]
    Session.objects.all().delete()
    page = text_of(owner.get("/app/"))
    assert page.count("card pair now") == 1
    assert "9:00 AM" in words_of(page.partition("card pair now")[2].partition("</li>")[0])
    assert "Lab 2" in lessons()


def test_the_office_keeps_holidays_and_no_class_has_lessons_on_them(office: Client, school: School, path: str) -> None:
    Slot.objects.create(class_ref=Class.objects.get(), weekday=1, start="09:00", end="10:00")
    page = "/app/office/holidays"
    assert "There are no holidays yet." in text_of(office.get(page))
    turned = {"name": "Spring", "since": "2025-03-14", "until": "2025-03-10"}
    assert "The last day is before the first." in text_of(office.post(page, turned), 400)
    said = follow(office, office.post(page, {"name": "Spring", "since": "2025-03-10", "until": "2025-03-14"}))
    assert "Spring March 10, 2025 – March 14, 2025" in said
    week = words_of(text_of(office.get(f"{path}?day=2025-03-12"))).partition("Every week")[0]
    assert week.count("Spring") == 5
    assert "9:00 AM" not in week
    office.post(f"{page}/{Holiday.objects.get().id}/remove")
    assert "9:00 AM" in words_of(text_of(office.get(f"{path}?day=2025-03-12"))).partition("Every week")[0]


def test_the_office_imports_holidays_after_a_preview(office: Client) -> None:
    page = "/app/office/holidays/import"
    html = text_of(office.post(page, sent(CALENDAR)))
    assert "Trip March 5, 2025 – March 6, 2025" in words_of(html)
    assert "An event with a time is no holiday." in html
    assert not Holiday.objects.exists()
    assert "1 holiday is new." in follow(office, office.post(page, {"token": token(html)}))
    assert Holiday.objects.get().until == date(2025, 3, 6)
    assert "The file has no new holidays." in text_of(office.post(page, sent(CALENDAR)))
    assert "This is no calendar file." in text_of(office.post(page, sent("x")), 400)


def test_what_was_added_since_the_preview_of_holidays_is_shown_first(office: Client) -> None:
    page = "/app/office/holidays/import"
    html = text_of(office.post(page, sent(CALENDAR)))
    Holiday.objects.create(name="Trip", since=date(2025, 3, 5), until=date(2025, 3, 6))
    assert "Something has changed meanwhile." in text_of(office.post(page, {"token": token(html)}), 412)
    assert Holiday.objects.count() == 1
