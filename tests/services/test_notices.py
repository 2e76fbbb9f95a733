"""Notices: once, to whom they concern, after a while, and not if a correction came in time; signed webhooks."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone, translation
from pytest_django import Settings
from standardwebhooks import Webhook as Verifier

from accounts.mail import allow
from accounts.models import StudentProfile
from accounts.services import language_note
from attendance.corrections import session_reopen
from attendance.counting import RULE
from attendance.enums import Status
from attendance.models import Attendance, Session
from attendance.services import record_correct, session_end
from classes.models import Class, CoTeacher
from core import times
from core.errors import InvalidSchema
from core.identity import Role
from core.limits import MAILS_TO
from notices import posting, sending, watching, webhooks
from notices.models import Delivery, Due, Kind, Notice, Webhook
from notices.posting import BadAddress, check_url
from notices.sending import send_due
from notices.webhooks import BACK_OFF, webhook_change, webhook_create
from tests.services.conftest import Room, commit_marks, make_room, make_users, new_mark
from tests.support.database import Databases, manage
from tests.support.server import Server
from tests.support.smtp import smtp_server
from tests.support.webhooks import Receiver

pytestmark = [pytest.mark.early, pytest.mark.django_db(transaction=True)]

MODULES = (sending, watching, webhooks)


class Clock:
    """The time as this app sees it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        for module in MODULES:
            monkeypatch.setattr(module, "now", lambda: times.now() + self.ahead)

    def pass_(self, **time: float) -> None:
        self.ahead += timedelta(**time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture(autouse=True)
def everybody_is_told(settings: Settings) -> None:
    settings.NOTICE_TO = ["students", "teachers", "guardians"]
    settings.NOTICE_DELAY_MINUTES = 30
    settings.NOTICE_ABSENCES = 3
    settings.NOTICE_TEACHERS_AT = ""
    settings.WEBHOOK_PRIVATE = True


@pytest.fixture
def room() -> Room:
    """A class that asks for nothing but to be there sometimes; its first student is Asha."""
    made = make_room()
    Class.objects.filter(pk=made.class_id).update(threshold=0)
    made.students[0].name = "Asha"
    made.students[0].save()
    return made


def lesson(room: Room, **statuses: str) -> Session:
    """A finished session: `asha="absent"`; the other one is present."""
    session = room.start()
    status = statuses.get("asha", "present")
    commit_marks([new_mark(room, session, 0, status), new_mark(room, session, 1)])
    return session_end(session_id=session.id)


def correct(session: Session, room: Room, status: Status) -> None:
    record = Attendance.objects.get(session=session, student=room.students[0])
    record_correct(by_id=room.teacher.id, record_id=record.id, status=status)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def hook(receiver: Receiver, settings: Settings) -> Callable[..., tuple[Webhook, str]]:
    """Makes a webhook at the receiver; nobody is mailed then."""
    settings.NOTICE_TO = []

    def make(*events: str) -> tuple[Webhook, str]:
        office = make_room(0)
        return webhook_create(actor=office.actor, url=receiver.url, events=events or ["session.ended"])

    return make


def recipients(mails: list[EmailMessage]) -> list[str]:
    return sorted(address for mail in mails for address in mail.to)


def test_absences_in_a_row_are_told_to_student_teachers_and_guardian_after_the_delay(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage]
) -> None:
    other = make_users(Role.TEACHER, 1)[0]
    CoTeacher.objects.create(class_ref_id=room.class_id, teacher=other)
    StudentProfile.objects.create(user=room.students[0], guardian_email="guardian@example.com")
    for _ in range(3):
        lesson(room, asha="absent")
    clock.pass_(minutes=29)
    assert send_due() == sending.Outcome()
    clock.pass_(minutes=2)
    assert send_due().told == 4
    asha = room.students[0].email
    assert recipients(mailoutbox) == sorted([asha, room.teacher.email, other.email, "guardian@example.com"])
    mail: Any = next(mail for mail in mailoutbox if mail.to == [asha])
    assert mail.subject == "Attendance of Asha"
    assert "Hello Asha,\n\nAsha was absent from the last 3 lessons of Physics.\n" in mail.body
    assert "<p>Asha was absent from the last 3 lessons of Physics.</p>" in mail.alternatives[0][0]
    assert mail.extra_headers["Auto-Submitted"] == "auto-generated"
    assert not Delivery.objects.exists()


def test_nobody_is_told_the_same_twice_until_it_was_over(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.NOTICE_TO = ["students"]

    def lessons(*statuses: str) -> int:
        mailoutbox.clear()
        for status in statuses:
            lesson(room, asha=status)
            clock.pass_(minutes=31)
            send_due()
        return len(mailoutbox)

    assert lessons("absent", "absent", "absent") == 1
    assert lessons("absent", "excused", "absent") == 0
    assert lessons("present", "absent", "absent") == 0
    assert lessons("absent") == 1


def test_who_comes_below_the_threshold_is_told_with_the_rate(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.NOTICE_TO = ["teachers"]
    Class.objects.filter(pk=room.class_id).update(threshold=75)
    for status in ("present", "absent", "late"):
        lesson(room, asha=status)
    clock.pass_(minutes=31)
    send_due()
    assert recipients(mailoutbox) == [room.teacher.email]
    assert (
        "Asha attended 66.7 percent of 3 lessons of Physics, which is less than 75 percent.\n"
        "Present and late count as attended, absent counts against, and excused lessons are left out."
    ) in mailoutbox[0].body


def test_a_teacher_gets_one_mail_a_day_with_all_students_and_others_get_theirs_at_once(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.NOTICE_TO = ["students", "teachers"]
    settings.NOTICE_ABSENCES = 1
    room.students[1].name = "Ben"
    room.students[1].save()
    art = make_room()
    lessons = ((room, room.start(), (0, 1)), (art, art.start(), (0,)))
    Class.objects.filter(pk=art.class_id).update(threshold=0, name="Art", teacher=room.teacher)
    settings.NOTICE_TEACHERS_AT = f"{timezone.localtime() + timedelta(hours=3):%H:%M}"
    for which, session, absent in lessons:
        commit_marks([new_mark(which, session, number, "absent") for number in absent])
        session_end(session_id=session.id)
    clock.pass_(minutes=31)
    send_due()
    students = {person.email for person in (*room.students, *art.students)}
    assert set(recipients(mailoutbox)) <= students
    mailoutbox.clear()
    record = Attendance.objects.get(session__class_ref_id=room.class_id, student=room.students[1])
    record_correct(by_id=room.teacher.id, record_id=record.id, status=Status.PRESENT)
    clock.pass_(hours=3)
    outcome = send_due()
    (mail,) = [mail for mail in mailoutbox if mail.to == [room.teacher.email]]
    assert mail.subject == "Attendance of 3 students"
    assert "Asha was absent from 1 lesson of Physics, the last one.\n" in mail.body
    assert "of Art, the last one." in mail.body
    assert "Ben" not in mail.body, "it was corrected meanwhile"
    assert "ask the class's teacher" not in mail.body
    assert outcome.failed == 0
    assert not Delivery.objects.exists()


def test_the_mail_of_a_day_that_is_not_taken_is_tried_again_as_one(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: EmailMessage) -> int:
        raise ConnectionRefusedError

    settings.NOTICE_TO, settings.NOTICE_ABSENCES = ["teachers"], 1
    session = room.start()
    commit_marks([new_mark(room, session, number, "absent") for number in (0, 1)])
    session_end(session_id=session.id)
    clock.pass_(minutes=31)
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", away)
        assert send_due().failed == 2
    clock.pass_(minutes=2)
    assert send_due().told == 2
    assert recipients(mailoutbox) == [room.teacher.email]


@pytest.mark.parametrize(
    ("at", "hour", "told"),
    [("16:00", 9, "2025-03-29T15:00"), ("16:00", 16, "2025-03-30T14:00"), ("", 9, "2025-03-29T08:00")],
)
def test_the_mail_of_a_day_goes_at_the_schools_time_whatever_the_clocks_do(
    settings: Settings, at: str, hour: int, told: str
) -> None:
    settings.TIME_ZONE, settings.NOTICE_TEACHERS_AT = "Europe/Berlin", at
    with timezone.override("Europe/Berlin"):
        moment = datetime(2025, 3, 29, hour - 1, tzinfo=UTC) + timedelta(minutes=bool(hour == 16))
        assert watching.when_teachers_are_told(moment).astimezone(UTC).isoformat()[:16] == told


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        ("", "Attendance of Asha", "Hello Asha,"),
        ("de", "Anwesenheit von Asha", "Asha hat in den letzten 3 Stunden von Physics gefehlt."),
        ("fr", "Présence de Asha", "Asha a manqué les 3 derniers cours de Physics."),
        ("es", "Asistencia de Asha", "Asha faltó a las últimas 3 clases de Physics."),
        ("hi", "Asha की उपस्थिति", "Physics के पिछले 3 पाठों में अनुपस्थित रहे।"),
        ("ar", "حضور Asha", "تغيّب Asha عن آخر 3 دروس من Physics."),
    ],
)
def test_a_mail_is_in_the_language_of_its_reader(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage], settings: Settings, language: str, subject: str, said: str
) -> None:
    settings.NOTICE_TO = ["students"]
    language_note(user_id=room.students[0].id, language=language)
    for _ in range(3):
        lesson(room, asha="absent")
    clock.pass_(minutes=31)
    send_due()
    (mail,) = mailoutbox
    assert mail.subject == subject
    assert said in mail.body
    html: Any = mail
    assert f'<html lang="{language or "en"}"{" dir=" if language == "ar" else ""}' in html.alternatives[0][0]


def test_a_rate_is_written_as_the_readers_language_writes_numbers(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.NOTICE_TO = ["students"]
    language_note(user_id=room.students[0].id, language="de")
    Class.objects.filter(pk=room.class_id).update(threshold=75)
    for status in ("present", "absent", "late"):
        lesson(room, asha=status)
    clock.pass_(minutes=31)
    send_due()
    (mail,) = mailoutbox
    assert " 66,7 Prozent " in mail.body


def test_the_rule_of_counting_has_words_in_every_language(settings: Settings) -> None:
    for language, _ in settings.LANGUAGES[1:]:
        with translation.override(language):
            assert translation.gettext(RULE) != RULE


def test_a_correction_within_the_delay_takes_the_notice_back(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage]
) -> None:
    session = [lesson(room, asha="absent") for _ in range(3)][-1]
    clock.pass_(minutes=20)
    correct(session, room, Status.EXCUSED)
    clock.pass_(minutes=60)
    send_due()
    assert mailoutbox == []


def test_a_correction_while_the_mail_server_is_away_takes_the_notice_back(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: EmailMessage) -> int:
        raise ConnectionRefusedError

    session = [lesson(room, asha="absent") for _ in range(3)][-1]
    clock.pass_(minutes=31)
    with monkeypatch.context() as patch:
        patch.setattr(EmailMessage, "send", away)
        assert send_due().failed == 2
    correct(session, room, Status.PRESENT)
    clock.pass_(minutes=2)
    send_due()
    assert mailoutbox == []
    assert not Notice.objects.filter(kind=Kind.AWAY, key__isnull=False).exists()


def test_mail_goes_to_no_address_that_may_be_another_persons(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.NOTICE_TO = ["students"]
    type(room.students[0]).objects.filter(pk=room.students[0].pk).update(origin="self")
    for _ in range(3):
        lesson(room, asha="absent")
    clock.pass_(minutes=31)
    send_due()
    assert mailoutbox == []


def test_without_anybody_to_tell_nothing_is_kept(room: Room, clock: Clock, settings: Settings) -> None:
    settings.NOTICE_TO = []
    lesson(room, asha="absent")
    clock.pass_(minutes=31)
    assert send_due().looked_at == 1
    assert not Notice.objects.exists()
    assert not Due.objects.exists()


def test_a_webhook_hears_of_an_end_signed_and_once(
    room: Room, clock: Clock, receiver: Receiver, hook: Callable[..., tuple[Webhook, str]]
) -> None:
    made, secret = hook("session.ended")
    session = lesson(room, asha="late")
    clock.pass_(minutes=31)
    assert send_due().told == 1
    assert send_due().told == 0
    ((headers, body),) = receiver.got
    event = json.loads(body)
    assert event["type"] == "session.ended"
    assert event["data"] == {
        "classId": room.class_id,
        "className": "Physics",
        "sessionId": session.id,
        "startedAt": times.to_iso(session.started_at),
        "endedAt": times.to_iso(session.ended_at),  # type: ignore[arg-type]
        "counts": {"present": 1, "late": 1, "absent": 0, "excused": 0},
    }
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    signature = Verifier(secret).sign(headers["webhook-id"], at, body.decode())
    assert signature == headers["webhook-signature"]
    assert secret not in Webhook.objects.get(pk=made.pk).secret


def test_a_library_of_standard_webhooks_takes_the_signature(
    room: Room, receiver: Receiver, hook: Callable[..., tuple[Webhook, str]], settings: Settings
) -> None:
    settings.NOTICE_DELAY_MINUTES = 0
    _, secret = hook("session.ended")
    lesson(room)
    send_due()
    ((headers, body),) = receiver.got
    assert Verifier(secret).verify(body, headers)["type"] == "session.ended"


def test_a_webhook_hears_what_it_asked_for_and_nothing_else(
    room: Room, clock: Clock, receiver: Receiver, hook: Callable[..., tuple[Webhook, str]]
) -> None:
    hook("threshold.crossed", "absent.consecutive")
    Class.objects.filter(pk=room.class_id).update(threshold=75)
    for _ in range(3):
        lesson(room, asha="absent")
    clock.pass_(minutes=31)
    send_due()
    found = {event["type"]: event["data"] for event in receiver.events}
    about: dict[str, Any] = {"classId": room.class_id, "className": "Physics", "studentId": room.students[0].id}
    about |= {"name": "Asha", "rollNumber": None}
    assert found == {
        "threshold.crossed": {**about, "attended": 0, "total": 3, "percent": 0.0, "threshold": 75},
        "absent.consecutive": {**about, "absentInARow": 3},
    }


def test_a_students_mailbox_gets_no_more_than_others_may_send_it(
    room: Room, clock: Clock, mailoutbox: list[EmailMessage]
) -> None:
    asha = room.students[0].email
    for _ in range(MAILS_TO.number):
        allow(to=asha)
    for _ in range(3):
        lesson(room, asha="absent")
    clock.pass_(minutes=31)
    send_due()
    assert [mail.to for mail in mailoutbox] == [[room.teacher.email]]
    assert Delivery.objects.get().person_id == room.students[0].id  # it is tried again later


def test_a_session_that_is_opened_again_is_told_when_it_ends_for_good(
    room: Room, clock: Clock, receiver: Receiver, hook: Callable[..., tuple[Webhook, str]]
) -> None:
    hook("session.ended")
    session = lesson(room)
    session_reopen(actor=room.actor, session_id=session.id)
    clock.pass_(minutes=31)
    send_due()
    assert receiver.got == []
    session_end(session_id=session.id)
    clock.pass_(minutes=31)
    send_due()
    assert len(receiver.got) == 1


def test_what_is_not_taken_is_tried_again_with_back_off_under_the_same_id_for_three_days(
    room: Room, clock: Clock, receiver: Receiver, hook: Callable[..., tuple[Webhook, str]]
) -> None:
    made, _ = hook("session.ended")
    receiver.status = 500
    lesson(room)
    clock.pass_(minutes=31)
    send_due()
    for minutes in BACK_OFF[:3]:
        before = len(receiver.got)
        clock.pass_(minutes=minutes - 0.1)
        send_due()
        assert len(receiver.got) == before
        clock.pass_(minutes=0.2)
        send_due()
        assert len(receiver.got) == before + 1
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert Webhook.objects.get(pk=made.pk).failure == "NotTaken: the answer was 500"
    while Delivery.objects.exists():
        clock.pass_(hours=10.1)
        send_due()
    assert timedelta(days=2, hours=12) < clock.ahead < timedelta(days=3, hours=1)
    assert 10 < len(receiver.got) < 16


def test_a_webhook_that_fails_holds_up_no_other(
    room: Room, clock: Clock, receiver: Receiver, hook: Callable[..., tuple[Webhook, str]]
) -> None:
    gone = Receiver()
    dead, _ = hook("session.ended")
    hook("session.ended")
    gone.close()
    webhook_change(webhook=dead, url=gone.url)
    for _ in range(3):
        lesson(room)
    clock.pass_(minutes=31)
    outcome = send_due()
    assert (outcome.told, outcome.failed) == (3, 1), "of the dead one one was tried, the others wait"
    assert len(receiver.got) == 3


@pytest.mark.parametrize(("status", "waits", "active"), [(302, True, True), (410, False, False), (201, False, True)])
def test_a_redirect_is_not_followed_and_410_ends_the_webhook(
    room: Room,
    clock: Clock,
    receiver: Receiver,
    hook: Callable[..., tuple[Webhook, str]],
    status: int,
    waits: bool,
    active: bool,
) -> None:
    made, _ = hook("session.ended")
    receiver.status = status
    lesson(room)
    clock.pass_(minutes=31)
    send_due()
    assert len(receiver.got) == 1
    assert Delivery.objects.exists() is waits
    assert Webhook.objects.get(pk=made.pk).is_active is active


def test_two_processes_deliver_one_thing_once(
    room: Room, clock: Clock, receiver: Receiver, hook: Callable[..., tuple[Webhook, str]]
) -> None:
    hook("session.ended")
    lesson(room)
    clock.pass_(minutes=31)
    watching.look_at_all(times.now() + clock.ahead)
    first, second = Delivery.objects.get(), Delivery.objects.get()
    assert sending._take(first)
    assert not sending._take(second)
    assert send_due().told == 0
    clock.pass_(minutes=3)  # the process that took it has died
    assert send_due().told == 1


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://10.1.2.3/", "https://[::1]/", "https://169.254.1.1/x", "https://[fe80::1]/"),
        *("https://[::ffff:10.0.0.1]/", "https://[64:ff9b::a00:1]/", "https://0.0.0.0/", "https://224.0.0.1/"),
        *("http://example.com/", "ftp://example.com/", "https://", "https://a:b@example.com/", "https://exa mple.com/"),
        *("https://example.com:99999/", "https://[", "example.com", ""),
    ],
)
def test_private_and_strange_addresses_are_refused(settings: Settings, url: str) -> None:
    settings.WEBHOOK_PRIVATE = False
    with pytest.raises(BadAddress):
        check_url(url)
    with pytest.raises(InvalidSchema):
        webhook_create(actor=make_room(0).actor, url=url, events=["session.ended"])


def test_a_name_that_leads_to_a_private_address_is_refused_before_anything_is_sent(
    receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_PRIVATE = False
    with pytest.raises(BadAddress, match="private network"):
        posting.post(receiver.url.replace("http://127.0.0.1", "https://localhost"), b"{}", {})
    assert receiver.got == []


@pytest.mark.long
def test_a_server_sends_by_itself_and_the_command_sends_nothing_again(
    databases: Databases, make_server: Callable[..., Server], receiver: Receiver, settings: Settings
) -> None:
    settings.NOTICE_DELAY_MINUTES = 0  # the session ends in this process
    told = {"NOTICE_TO": "teachers", "NOTICE_DELAY_MINUTES": "0", "NOTICE_ABSENCES": "1", "WEBHOOK_PRIVATE": "true"}
    told["NOTICE_TEACHERS_AT"] = ""

    def absent() -> str:
        found = make_room()
        webhook_create(actor=found.actor, url=receiver.url, events=["session.ended", "absent.consecutive"])
        lesson(found, asha="absent")
        return found.teacher.email

    database = databases.fresh()
    with smtp_server() as (address, mailbox):
        make_server(database, EMAIL_URL=address, **told)
        mail = mailbox.wait(database.ask(absent))
        assert mail["Auto-Submitted"] == "auto-generated"
        assert {part.get_content_type() for part in mail.iter_parts()} == {"text/plain", "text/html"}
        assert sorted(receiver.next()["type"] for _ in range(2)) == ["absent.consecutive", "session.ended"]
    done = manage("send_notices", database=database, **told)
    assert done.stdout == "0 sessions looked at, 0 notices sent, 0 failed.\n"
