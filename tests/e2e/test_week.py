"""A week of a school, from its lists to its reports, which are compared with what the test itself has counted.

One server is started again for each hour of the week, over one database, with its clock set to that hour: the clocks go
back between Friday and Monday. Past the server only that is done which the admin's pages do: staff is made, and a
guardian's address is kept.
"""

import csv
import io
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any

import openpyxl
import pytest
from standardwebhooks import Webhook as Verifier

from accounts.models import StudentProfile, User
from tests.e2e import week
from tests.e2e.week import (
    CLASSES,
    FRIDAY,
    MONDAY,
    TEACHERS,
    THURSDAY,
    ZONE,
    Device,
    Hours,
    Lesson,
    Log,
    Pupil,
    moment,
    numbers,
)
from tests.programs import at
from tests.support.clients import PASSWORD
from tests.support.database import Databases, environment_of, run_script
from tests.support.server import Server, only_serve
from tests.support.smtp import Mailbox, smtp_server
from tests.support.webhooks import Receiver

#: Several hundred requests: a slow database on a busy machine takes minutes.
pytestmark = [pytest.mark.long, only_serve, pytest.mark.timeout(900)]

OFFICE = "office@school.example.com"
GUARDIAN = "guardian@home.example.com"
SETTINGS = {
    "TIME_ZONE": str(ZONE),
    "NOTICE_TO": "students,teachers,guardians",
    "NOTICE_ABSENCES": "2",
    "NOTICE_TEACHERS_AT": "",
    "WEBHOOK_PRIVATE": "true",
}
#: Lessons of the week: the class, and the hours at which it has one on Friday and on Monday.
TIMETABLE: Mapping[str, Mapping[date, int]] = {
    **{name: {FRIDAY: 9, MONDAY: 9} for name in ("Algebra", "Drama", "Geography")},
    **{name: {FRIDAY: 10} for name in ("Botany", "English")},
    **{name: {MONDAY: 10} for name in ("Chemistry", "French")},
    "History": {FRIDAY: 10, MONDAY: 10},
}
#: The one class that asks for more than to be there sometimes, percent.
ASKS = {"Algebra": 60}
#: Nobody waits longer for what a server does by itself, seconds.
PATIENCE = 60.0
REASON = "had been at the doctor's"


def teacher_email(number: int) -> str:
    return f"teacher{number}@school.example.com"


@dataclass
class Story:
    """The school, the devices of its people, and the log of what they do."""

    server: Server
    mailbox: Mailbox
    receiver: Receiver
    pupils: list[Pupil] = field(default_factory=week.pupils)
    log: Log = field(default_factory=Log)
    class_ids: dict[str, str] = field(default_factory=dict)
    rosters: dict[str, list[str]] = field(default_factory=dict)
    #: The lesson of each class that is under way, and its session.
    running: dict[str, tuple[Lesson, str]] = field(default_factory=dict)
    #: The lessons' sessions, also after their end.
    sessions: dict[tuple[str, date], str] = field(default_factory=dict)
    phones: dict[str, Device] = field(default_factory=dict)
    #: The cards of those who have no address, by roll number.
    cards: dict[str, str] = field(default_factory=dict)
    secret: str = ""
    told: set[tuple[str, str, str]] = field(default_factory=set)
    devices: list[Device] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hours = Hours(self.server)
        self.by_roll = {pupil.roll_number: pupil for pupil in self.pupils}
        for number, name in enumerate(CLASSES):
            members = [*self._home(number), *self._home(number + 1)]
            self.rosters[name] = [pupil.roll_number for pupil in members]

    def _home(self, number: int) -> list[Pupil]:
        first = 15 * (number % len(CLASSES))
        return self.pupils[first : first + 15]

    def device(self) -> Device:
        """A new one."""
        self.devices.append(Device(self.server))
        return self.devices[-1]

    def phone(self, roll: str) -> Device:
        if roll not in self.phones:
            self.phones[roll] = self.device()
        return self.phones[roll]

    def id(self, roll_number: str) -> str:
        return self.by_roll[roll_number].id

    def open(self, day: date, clock: str) -> None:
        """The server begins at this hour, and the teachers and the office sign in."""
        self.hours.open(day, clock)
        self.teachers = [self.device().sign_in(teacher_email(number), PASSWORD) for number in range(len(TEACHERS))]
        self.office = self.device().sign_in(OFFICE, PASSWORD)

    def teacher(self, class_name: str) -> Device:
        return self.teachers[CLASSES[class_name]]

    # Lessons

    def begun(self, day: date, hour: int) -> list[str]:
        """The classes of the hour, once the server has opened their lessons by itself."""
        names = [name for name, hours in TIMETABLE.items() if hours.get(day) == hour]
        for name in names:
            held = until(lambda name=name: self.open_session(name))  # type: ignore[misc]
            roster = [roll for roll in self.rosters[name] if (name, roll) not in self.log.until]
            lesson = Lesson(name, day, hour, roster)
            self.log.lessons.append(lesson)
            self.running[name] = lesson, held["_id"]
            self.sessions[name, day] = held["_id"]
        return names

    def open_session(self, name: str) -> Any:
        items = self.teacher(name).get(f"/classes/{self.class_ids[name]}/sessions")["items"]
        return next((one for one in items if one["state"] == "open"), None)

    def path(self, name: str) -> str:
        return f"/sessions/{self.running[name][1]}"

    def mark(self, name: str, statuses: Mapping[str, str]) -> None:
        body = [{"studentId": self.id(roll), "status": status} for roll, status in statuses.items()]
        self.teacher(name).post(f"{self.path(name)}/marks", {"marks": body})
        self.running[name][0].said.update(statuses)

    def mark_some(self, name: str) -> None:
        """The teacher looks around: marks whoever has no mark, but for some of whom nothing is said."""
        lesson = self.running[name][0]
        words = (
            "present",
            "present",
            "absent",
            "present",
            "late",
            "present",
            "",
            "excused",
            "present",
            "absent",
            "present",
        )
        shift = lesson.day.day * (1 + list(CLASSES).index(name))
        said = {roll: words[(int(roll) * 7 + shift) % len(words)] for roll in lesson.roster if roll not in lesson.said}
        self.mark(name, {roll: status for roll, status in said.items() if status})

    def end(self, name: str) -> None:
        ended = self.teacher(name).post(f"{self.path(name)}/end")
        lesson, _ = self.running.pop(name)
        lesson.end()
        assert {one["_id"]: one["status"] for one in ended["roster"]} == {
            self.id(roll): status for roll, status in lesson.said.items()
        }

    def correct(self, name: str, day: date, roll: str, status: str) -> str:
        """The record's id."""
        session = self.sessions[name, day]
        change = {"studentId": self.id(roll), "status": status}
        path = f"/sessions/{session}/corrections"
        assert self.teacher(name).ask("POST", path, {"changes": [change]}, status=400) == "invalid_schema", "no reason"
        (record,) = self.teacher(name).post(path, {"changes": [{**change, "note": REASON}]})["items"]
        lesson = next(one for one in self.log.of_class(name) if one.day == day)
        lesson.said[roll] = status
        return str(record["recordId"])

    # Phones

    def scan(self, phone: Device, name: str) -> str:
        """What a scan of the code on the wall is exchanged for; a camera that is slow scans the next one."""

        def exchange() -> Any:
            code = self.teacher(name).get(f"{self.path(name)}/check-in/code")["code"]
            answer = phone.http.post("/check-in/claims", json={"session": self.running[name][1], "code": code})
            assert answer.is_success or answer.json()["code"] == "wrong_code", answer.text
            return answer.json()["data"]["claim"] if answer.is_success else None

        return str(until(exchange))

    def check_in(self, name: str, roll: str, *, on_phone_of: str | None = None) -> Any:
        """Scan first, then sign in, then the check-in."""
        phone = self.phone(on_phone_of or roll)
        claim = self.scan(phone, name)
        if roll in self.cards:
            phone.token = ""
            phone.token = phone.post("/auth/card", {"code": self.cards[roll]})["token"]
        else:
            phone.sign_in(self.by_roll[roll].email, PASSWORD)
        done = phone.post("/check-in", {"claim": claim})
        self.running[name][0].said[roll] = done["status"]
        return done


def until(look: Callable[[], Any]) -> Any:
    """What `look` finds, as soon as that is something."""
    limit, pause = time.monotonic() + PATIENCE, threading.Event()
    while not (found := look()):
        assert time.monotonic() < limit, "it does not come"
        pause.wait(0.05)
    return found


@pytest.fixture
def story(databases: Databases) -> Iterator[Story]:
    receiver = Receiver()
    with smtp_server() as (address, mailbox):
        server = Server(databases.fresh(), EMAIL_URL=address, **SETTINGS)
        story = Story(server, mailbox, receiver)
        yield story
        for device in story.devices:
            device.http.close()
        server.close()
    receiver.close()
    server.assert_clean()


def make_staff() -> None:
    for number, name in enumerate(TEACHERS):
        make_person(name=name, email=teacher_email(number))
    make_person(name="Office", email=OFFICE, is_staff=True, is_superuser=True)


def make_person(**fields: Any) -> None:
    person = User(role="teacher", **fields)
    person.set_password(PASSWORD)
    person.save(force_insert=True)


def test_a_week_of_a_school_is_counted_as_it_happened(story: Story) -> None:
    story.server.database.ask(make_staff)
    thursday_the_school_is_set_up(story)
    friday_at_nine_with_an_outage(story)
    friday_at_ten(story)
    notices_go_out(story, FRIDAY)
    monday_before_school(story)
    monday_at_nine(story)
    monday_at_ten(story)
    reports_are_as_counted(story)
    story.server.stop()
    notices_go_out(story, MONDAY)
    everybody_was_told_once(story)


def thursday_the_school_is_set_up(story: Story) -> None:
    story.open(THURSDAY, "15:00")
    hook = {"url": story.receiver.url, "events": ["session.ended", "threshold.crossed", "absent.consecutive"]}
    story.secret = story.office.post("/webhooks", hook)["secret"]
    for pupil in story.pupils:
        if not pupil.email:  # a list makes nobody whose cell is empty: it may have been forgotten
            pupil.id = story.office.post("/students", {"name": pupil.name, "rollNumber": pupil.roll_number})["_id"]
    for number, name in enumerate(CLASSES):
        desk = story.teacher(name)
        class_id = story.class_ids[name] = desk.post("/classes", {"className": name})["_id"]
        import_list(story, name, is_workbook=number % 2 == 1)
        slots = [
            {"weekday": day.isoweekday(), "start": f"{hour:02}:00", "end": f"{hour:02}:45", "room": "B 12"}
            for day, hour in TIMETABLE[name].items()
        ]
        desk.ask("PUT", f"/classes/{class_id}/timetable", {"slots": slots})
        settings = {"opensByItself": True, "lateAfterMinutes": 10, "threshold": ASKS.get(name, 0)}
        desk.ask("PATCH", f"/classes/{class_id}/settings", settings)
    assert len({pupil.id for pupil in story.pupils}) == 120
    story.teacher("Algebra").post(f"/classes/{story.class_ids['Algebra']}/teachers", {"email": teacher_email(2)})
    # 9 o'clock stays 9 o'clock, whatever the clocks do.
    for day, start in ((FRIDAY, "2026-10-23T07:00:00.000Z"), (MONDAY, "2026-10-26T08:00:00.000Z")):
        assert story.teacher("Drama").get(f"/lessons?day={day}")["items"][0]["start"] == start

    def keep_guardian() -> None:
        for roll in story.rosters["Algebra"]:
            StudentProfile.objects.update_or_create(user_id=story.id(roll), defaults={"guardian_email": GUARDIAN})

    story.server.database.ask(keep_guardian)
    owners = [roll for roll in story.rosters["Algebra"][:9] if story.by_roll[roll].email]
    with ThreadPoolExecutor(len(owners)) as threads:
        list(threads.map(lambda roll: choose_password(story, roll), owners))
    card = story.teacher("Algebra").post(f"/students/{story.id('010')}/card")
    story.cards["010"] = card["url"]
    announce(story, "002", FRIDAY, {"Algebra": "approved", "History": "approved"})
    announce(story, "001", FRIDAY, {"Algebra": "refused"})


def import_list(story: Story, name: str, *, is_workbook: bool) -> None:
    """In two steps: what the preview has shown is done."""
    members = [story.by_roll[roll] for roll in story.rosters[name]]
    content = week.list_as_workbook(members) if is_workbook else week.list_as_csv(members)
    path = f"/classes/{story.class_ids[name]}/import"
    shown = story.teacher(name).send(path, "list.xlsx" if is_workbook else "list.csv", content)
    new = [pupil for pupil in members if not pupil.id]
    assert (shown["counts"]["created"], shown["counts"]["enrolled"]) == (
        len(new),
        len(members) - len(new),
    ), shown["rows"]
    assert story.teacher(name).get(f"/classes/{story.class_ids[name]}/students")["items"] == []
    done = story.teacher(name).post(path, {"token": shown["token"]})
    assert done["counts"] == shown["counts"]
    for one in story.teacher(name).get(f"/classes/{story.class_ids[name]}/students")["items"]:
        pupil = story.by_roll[one["rollNumber"]]
        assert (one["name"], one["email"]) == (pupil.name, pupil.email)
        pupil.id = one["_id"]


def choose_password(story: Story, roll: str) -> None:
    """By the code that comes by mail, on the phone that the student will check in with."""
    phone, email = story.phone(roll), story.by_roll[roll].email
    phone.post("/auth/forgot", {"login": email})
    reset = {"code": str(story.mailbox.code(email)), "login": email, "password": PASSWORD}
    phone.token = phone.post("/auth/reset", reset)["token"]


def announce(story: Story, roll: str, day: date, decisions: Mapping[str, str]) -> None:
    """The student announces an absence, and the teachers of the classes decide, each for theirs."""
    made = story.phones[roll].post("/excuses", {"from": str(day), "until": str(day), "note": "a wedding"})
    for name, state in decisions.items():
        story.teacher(name).ask("PATCH", f"/excuses/{made['_id']}", {"state": state})


def friday_at_nine_with_an_outage(story: Story) -> None:
    story.open(FRIDAY, "09:00")
    assert story.begun(FRIDAY, 9) == ["Algebra", "Drama", "Geography"]
    story.running["Algebra"][0].said["002"] = "excused"
    algebra = story.path("Algebra")
    story.teacher("Algebra").ask("PUT", f"{algebra}/check-in", {"mode": "rotating", "sameDevice": "flag"})
    for roll in ("003", "004", "005", "010"):
        assert story.check_in("Algebra", roll) | {"session": ""} == {
            "session": "",
            "className": "Algebra",
            "status": "present",
            "flags": [],
        }
    for roll, phone in (("006", "003"), ("007", "004")):
        assert story.check_in("Algebra", roll, on_phone_of=phone)["flags"] == ["other_device"]
    co_teacher = story.teachers[2]
    flags = {one["studentId"]: one["_id"] for one in co_teacher.get(f"{algebra}/flags")["items"]}
    co_teacher.post(f"{algebra}/flags/{flags[story.id('006')]}", {"confirm": False})
    co_teacher.post(f"{algebra}/flags/{flags[story.id('007')]}", {"confirm": True})
    del story.running["Algebra"][0].said["006"]
    story.mark_some("Drama")

    # The teacher goes on while there is no server. What they mark waits in the device, each mark with its time and key.
    story.server.kill()
    marked = [("011", "present"), ("012", "absent"), ("013", "present"), ("012", "late"), ("014", "absent")]
    queue = [
        {
            "studentId": story.id(roll),
            "status": status,
            "at": moment(FRIDAY, f"09:{5 + number:02}"),
            "key": f"q{number}",
        }
        for number, (roll, status) in enumerate(marked)
    ]
    story.open(FRIDAY, "09:12")
    desk = story.teacher("Algebra")
    before = desk.get(algebra)["seq"]
    first, again = [desk.post(f"{algebra}/marks", {"marks": queue}) for _ in range(2)]
    assert first == again, "the same marks, not new ones"
    assert desk.get(algebra)["seq"] == before + len(queue)
    assert [(one["at"], one["key"]) for one in first["marks"]] == [
        (one["at"].replace("Z", ".000Z"), one["key"]) for one in queue
    ]
    early = {**queue[0], "at": moment(FRIDAY, "08:59"), "key": "early"}
    assert desk.ask("POST", f"{algebra}/marks", {"marks": [early]}, status=400) == "time_outside_lesson"
    taken = {**queue[0], "status": "absent"}
    assert desk.ask("POST", f"{algebra}/marks", {"marks": [taken]}, status=422) == "key_reused"
    story.running["Algebra"][0].said.update(dict(marked))

    for roll in ("008", "009"):  # more than ten minutes after the beginning
        assert story.check_in("Algebra", roll)["status"] == "late"
    assert story.check_in("Algebra", "003")["status"] == "present", "who is in stays in"
    desk.post(f"{algebra}/rest", {"status": "present"})
    undone = desk.post(f"{algebra}/undo")["undone"]
    assert {one["status"] for one in undone} == {"present"}
    story.mark("Algebra", dict.fromkeys(story.rosters["Algebra"][15:20], "present"))
    story.end("Algebra")
    story.correct("Algebra", FRIDAY, "006", "present")  # before anybody is told of the absence

    story.mark_some("Geography")
    story.end("Geography")
    geography = story.sessions["Geography", FRIDAY]
    reopened = story.teacher("Geography").post(f"/sessions/{geography}/reopen")
    assert reopened["state"] == "open"
    lesson = story.log.of_class("Geography")[0]
    story.running["Geography"] = lesson, geography
    story.mark("Geography", {lesson.roster[0]: "late"})
    story.end("Geography")


def friday_at_ten(story: Story) -> None:
    story.open(FRIDAY, "10:00")
    assert story.begun(FRIDAY, 10) == ["Botany", "English", "History"]
    drama, session = story.running.pop("Drama")
    until(lambda: story.teacher("Drama").get(f"/sessions/{session}")["state"] == "ended")  # by itself
    drama.end()
    story.running["History"][0].said["002"] = "excused"
    for name in ("Botany", "English", "History"):
        story.mark_some(name)
        story.end(name)
    story.server.stop()


def monday_before_school(story: Story) -> None:
    story.open(MONDAY, "08:30")  # before the clocks went back this was 9:30
    for name in CLASSES:
        assert story.open_session(name) is None
    desk, class_id = story.teacher("Algebra"), story.class_ids["Algebra"]
    record = story.correct("Algebra", FRIDAY, "014", "excused")
    history = desk.get(f"/records/{record}/history")["items"]
    assert [(one["status"], one["method"], one["by"]["name"]) for one in history] == [
        ("absent", "bulk", TEACHERS[0]),
        ("excused", "correction", TEACHERS[0]),
    ]
    assert history[-1]["note"] == REASON
    # One leaves, one comes, and of one it is said late that they are in the class since today alone.
    desk.ask("DELETE", f"/classes/{class_id}/students/{story.id('020')}")
    story.log.until["Algebra", "020"] = date(2026, 10, 25)
    desk.post(f"/classes/{class_id}/students", {"rollNumber": "100"})
    story.rosters["Algebra"].append("100")
    story.log.since["Algebra", "100"] = MONDAY
    desk.ask("PATCH", f"/classes/{class_id}/students/{story.id('021')}", {"from": str(MONDAY)})
    story.log.since["Algebra", "021"] = MONDAY
    story.server.stop()


def monday_at_nine(story: Story) -> None:
    story.open(MONDAY, "09:00")
    assert story.begun(MONDAY, 9) == ["Algebra", "Drama", "Geography"]
    story.teacher("Algebra").ask("PUT", f"{story.path('Algebra')}/check-in", {"mode": "rotating"})
    for roll in ("001", "002", "003", "010"):
        assert story.check_in("Algebra", roll)["status"] == "present"
    phone = story.phones["003"].sign_in(story.by_roll["004"].email, PASSWORD)
    claim = story.scan(phone, "Algebra")
    assert phone.ask("POST", "/check-in", {"claim": claim}, status=403) == "other_device"
    for name in ("Algebra", "Drama", "Geography"):
        story.mark_some(name)
        story.end(name)
    story.server.stop()


def monday_at_ten(story: Story) -> None:
    story.open(MONDAY, "10:00")
    assert story.begun(MONDAY, 10) == ["Chemistry", "French", "History"]
    for name in ("Chemistry", "French", "History"):
        story.mark_some(name)
        story.end(name)


# Notices


def notices_go_out(story: Story, day: date) -> None:
    """In the afternoon, by the command; a server may have sent some of them before."""
    for name in CLASSES:
        story.told |= story.log.told(name, story.rosters, below=ASKS.get(name, 0))
    environment = environment_of(story.server.database, story.server.environment)
    done = run_script(at.SCRIPT, moment(day, "17:00"), "send_notices", env=environment)
    assert done.returncode == 0, done.stderr
    assert "0 failed" in done.stdout


def everybody_was_told_once(story: Story) -> None:
    kinds = {kind for kind, _, _ in story.told}
    assert kinds == {"threshold.crossed", "absent.consecutive"}, "the week has both"
    # What a server was telling when it stopped may be told again, under the same id.
    events = list({headers["webhook-id"]: json.loads(body) for headers, body in story.receiver.got}.values())
    heard = Counter(
        (one["type"], one["data"]["className"], one["data"]["studentId"])
        for one in events
        if one["type"] != "session.ended"
    )
    assert heard == Counter((kind, name, story.id(roll)) for kind, name, roll in story.told)
    ended = Counter(one["data"]["sessionId"] for one in events if one["type"] == "session.ended")
    assert ended == Counter(story.sessions.values())
    for headers, body in story.receiver.got:
        sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        assert (
            Verifier(story.secret).sign(headers["webhook-id"], sent_at, body.decode()) == headers["webhook-signature"]
        )

    about = Counter(roll for _, _, roll in story.told)
    for pupil in story.pupils:
        mails = [mail for mail in letters(story, pupil.email) if "code" not in mail["Subject"].lower()]
        assert [mail["Subject"] for mail in mails] == [f"Attendance of {pupil.name}"] * (
            about[pupil.roll_number] if pupil.email else 0
        )
    guarded = set(story.rosters["Algebra"][:30])
    assert len(letters(story, GUARDIAN)) == sum(number for roll, number in about.items() if roll in guarded)
    for number in range(len(TEACHERS)):
        taught = {name for name, owner in CLASSES.items() if owner == number} | ({"Algebra"} if number == 2 else set())
        bodies = [mail.get_body(("plain",)) for mail in letters(story, teacher_email(number))]
        text = " ".join(" ".join(body.get_content() for body in bodies if body is not None).split())
        for kind, name, roll in story.told:
            word = "was absent from" if kind == "absent.consecutive" else "attended"
            sentences = [part for part in text.split(f"{story.by_roll[roll].name} {word}")[1:] if name in part[:60]]
            assert len(sentences) == (name in taught), (kind, name, roll, text)


def letters(story: Story, address: str) -> list[EmailMessage]:
    """The mails that came, each once: a mailbox knows one that came again by its id."""
    return list({mail["Message-ID"]: mail for mail in story.mailbox.sent(address)}.values())


# Reports


def reports_are_as_counted(story: Story) -> None:
    assert {(lesson.class_name, lesson.day) for lesson in story.log.lessons} == {
        (name, day) for name, hours in TIMETABLE.items() for day in hours
    }
    assert {status for lesson in story.log.lessons for status in lesson.said.values()} == set(week.STATUSES)
    for name in CLASSES:
        class_report_is_as_counted(story, name)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda pupil: student_report_is_as_counted(story, pupil), story.pupils))
    school_report_is_as_counted(story)


def class_report_is_as_counted(story: Story, name: str) -> None:
    log, lessons = story.log, story.log.of_class(name)
    enrolled = log.enrolled(name, story.rosters)
    shown = sorted({*enrolled, *log.known_in(name)}, key=lambda roll: story.by_roll[roll].name)
    totals = {roll: log.total(lessons, [roll]) for roll in shown}
    everybody = log.total(lessons, shown)
    path = f"/classes/{story.class_ids[name]}/report"
    report = story.teacher(name).get(path)
    assert report["rows"] == [
        {"_id": story.id(roll), "name": story.by_roll[roll].name, "rollNumber": roll, **totals[roll].shown}
        for roll in shown
    ]
    assert report["total"] == everybody.shown
    assert report["weeks"] == [{"monday": monday, **total.shown} for monday, total in log.weeks(lessons, shown)]
    assert (report["lessons"], report["threshold"], report["absentInARow"]) == (len(lessons), ASKS.get(name, 0), [])
    assert set(report["below"]) == {
        story.id(roll)
        for roll in enrolled
        if (percent := totals[roll].percent) is not None and percent < ASKS.get(name, 0)
    }

    lines = [
        [
            *(roll, story.by_roll[roll].name, story.by_roll[roll].email),
            *(log.status(lesson, roll) or "" for lesson in lessons),
            *totals[roll].cells,
        ]
        for roll in shown
    ]
    percents = [total.cells[-1] for total in (log.total([lesson], shown) for lesson in lessons)]
    last = ["", "All students", "", *percents, *everybody.cells]
    table = rows_of_csv(story.teacher(name).file(f"{path}?format=csv"))
    assert table[-1] == [report["rule"]]
    assert [at_hour(heading) for heading in table[0][3 : 3 + len(lessons)]] == hours_of(lessons)
    assert [[*row[:3], *numbers(row[3:])] for row in table[1:-1]] == [*lines, last]
    book = workbook(story.teacher(name).file(f"{path}?format=xlsx"))
    matrix = rows_of_sheet(book["Attendance"])
    assert [at_hour(heading) for heading in matrix[0][3 : 3 + len(lessons)]] == hours_of(lessons)
    assert matrix[1:] == [*lines, last]
    assert [row[:10] for row in rows_of_sheet(book["Totals"])[1:]] == [
        *([*line[:3], *totals[line[0]].cells] for line in lines),
        ["", "All students", "", *everybody.cells],
    ]


def student_report_is_as_counted(story: Story, pupil: Pupil) -> None:
    log, roll = story.log, pupil.roll_number
    names = [name for name in CLASSES if roll in story.rosters[name]]
    held = {name: [lesson for lesson in log.of_class(name) if log.status(lesson, roll) is not None] for name in names}
    everything = sorted((one for lessons in held.values() for one in lessons), key=lambda one: (one.day, one.hour))
    report = story.office.get(f"/students/{pupil.id}/report")
    assert [(one["className"], [record["status"] for record in one["records"]]) for one in report["classes"]] == [
        (name, [log.status(lesson, roll) for lesson in held[name]]) for name in names
    ]
    totals = {name: log.total(held[name], [roll]) for name in names}
    assert [{key: one[key] for key in totals[names[0]].shown} for one in report["classes"]] == [
        totals[name].shown for name in names
    ]
    every = log.total(everything, [roll])
    assert report["total"] == every.shown
    assert report["weeks"] == [{"monday": monday, **total.shown} for monday, total in log.weeks(everything, [roll])]

    path = f"/students/{pupil.id}/report?format="
    lines = [(name, lesson, log.status(lesson, roll)) for name in names for lesson in held[name]]
    for rows, totals_of in (csv_parts(story.office.file(f"{path}csv")), book_parts(story.office.file(f"{path}xlsx"))):
        assert [(name, at_hour(when), status) for name, when, status in rows] == [
            (name, *hours_of([lesson]), status) for name, lesson, status in lines
        ]
        assert [row[:8] for row in totals_of] == [
            *([name, *totals[name].cells] for name in names),
            ["All classes", *every.cells],
        ]


def csv_parts(content: bytes) -> tuple[list[list[Any]], list[list[Any]]]:
    rows = rows_of_csv(content)
    gap = rows.index([])
    return rows[1:gap], [numbers(row) for row in rows[gap + 2 : -1]]


def book_parts(content: bytes) -> tuple[list[list[Any]], list[list[Any]]]:
    book = workbook(content)
    return rows_of_sheet(book["Lessons"])[1:], rows_of_sheet(book["Totals"])[1:]


def school_report_is_as_counted(story: Story) -> None:
    log, everybody = story.log, [pupil.roll_number for pupil in story.pupils]
    totals = {name: log.total(log.of_class(name), everybody) for name in CLASSES}
    every = log.total(log.lessons, everybody)
    lines = [
        [name, TEACHERS[owner], len(log.of_class(name)), len(log.known_in(name)), *totals[name].cells]
        for name, owner in CLASSES.items()
    ]
    report = story.office.get("/reports/school")
    assert report["total"] == every.shown
    assert report["weeks"] == [{"monday": monday, **total.shown} for monday, total in log.weeks(log.lessons, everybody)]
    assert [
        (one["className"], one["teacher"], one["lessons"], one["students"], one["percent"]) for one in report["classes"]
    ] == [(*line[:4], totals[str(line[0])].percent) for line in lines]
    last = ["All classes", "", len(log.lessons), "", *every.cells]
    table = rows_of_csv(story.office.file("/reports/school?format=csv"))
    assert [numbers(row) for row in table[1:-1]] == [*lines, last]
    book = workbook(story.office.file("/reports/school?format=xlsx"))
    assert rows_of_sheet(book["Classes"])[1:] == [*lines, last]


def rows_of_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def workbook(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content), read_only=True)


def rows_of_sheet(sheet: Any) -> list[list[Any]]:
    """Rows as long as the first one; an empty cell is an empty text."""
    rows = [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]
    return [row + [""] * (len(rows[0]) - len(row)) for row in rows]


def at_hour(heading: Any) -> str:
    """Day and hour of a lesson, as a file has it: a text or a real date."""
    return str(heading)[:13]


def hours_of(lessons: Sequence[Lesson]) -> list[str]:
    return [f"{lesson.day} {lesson.hour:02}" for lesson in lessons]
