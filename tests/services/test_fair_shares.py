"""What one teacher and one address may make in a time, and how long a session's journal may become after its end."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import User
from accounts.services import user_signup
from attendance import actions, services
from attendance.enums import Method, Status
from attendance.live.requests import session_mark
from attendance.marking import Wanted
from attendance.models import Attendance, Mark, Session, SessionName
from classes.models import Class
from classes.rosters.entries import Entry, entry_of
from classes.services import class_create, class_create_with_roster
from core import errors
from core.identity import Role
from core.ids import new_id
from tests.services.conftest import Room, actor_of, at_once, make_room, make_users

pytestmark = pytest.mark.django_db(transaction=True)


def granted(work: Callable[[int], object], count: int) -> int:
    """How often `work` is done, of so many times one after another; the other times are refused."""
    done = 0
    for number in range(count):
        with suppress(errors.TooManyRequests):
            work(number)
            done += 1
    return done


def sheet(count: int) -> list[Entry]:
    """A sheet of so many students whom nobody knows."""
    keys = [new_id() for _ in range(count)]
    return [
        entry_of(line=line, name="Asha", roll_number=f"R{key}", email=f"{key}@example.com")
        for line, key in enumerate(keys, start=1)
    ]


def test_an_address_signs_up_so_many_people(settings: Any) -> None:
    settings.LIMIT_SIGNUPS = 3

    def sign_up(address: str | None) -> Callable[[int], object]:
        return lambda number: user_signup(
            name="Asha", email=f"{new_id()}@example.com", password="secret1", role=Role.STUDENT, address=address
        )

    assert granted(sign_up("2001:db8::1"), 2) == 2
    assert granted(sign_up("2001:db8::2"), 3) == 1  # the same network
    assert granted(sign_up("2001:db8:1::1"), 1) == 1
    assert granted(sign_up(None), 1) == 1
    assert User.objects.count() == 5


def test_a_teacher_makes_so_many_classes_with_a_sheet_or_without(settings: Any) -> None:
    settings.LIMIT_CLASSES = 3
    teacher, other = (actor_of(user) for user in make_users(Role.TEACHER, 2))

    def with_sheet(number: int) -> object:
        return class_create_with_roster(teacher_id=teacher.id, name=f"Sheet {number}", entries=[], unique_name=True)

    assert granted(with_sheet, 2) == 2
    assert granted(lambda number: class_create(teacher=teacher, name="Physics"), 3) == 1
    assert granted(lambda number: class_create(teacher=other, name="Physics"), 1) == 1
    assert Class.objects.filter(teacher_id=teacher.id).count() == 3


def test_of_many_classes_at_once_a_teacher_makes_as_many_as_one_after_another(settings: Any) -> None:
    settings.LIMIT_CLASSES = 3
    teacher = actor_of(make_users(Role.TEACHER, 1)[0])
    outcomes = at_once([lambda: class_create(teacher=teacher, name="Physics")] * 8)
    refused = [outcome for outcome in outcomes if isinstance(outcome, errors.TooManyRequests)]
    assert (len(refused), Class.objects.count()) == (5, 3), outcomes


@pytest.mark.parametrize("setting", ["LIMIT_SHEET_ROWS", "LIMIT_PEOPLE"])
def test_a_teachers_sheets_have_so_many_rows_and_make_so_many_people(settings: Any, setting: str) -> None:
    setattr(settings, setting, 5)
    teacher = make_users(Role.TEACHER, 1)[0]

    def send(entries: list[Entry]) -> int:
        return granted(
            lambda number: class_create_with_roster(
                teacher_id=teacher.id, name=new_id(), entries=entries, unique_name=True
            ),
            1,
        )

    known = sheet(3)
    assert send(sheet(6)) == 0  # a sheet that is too long makes nothing
    assert (User.objects.count(), Class.objects.count()) == (1, 0)
    assert send(known) == 1
    assert send(sheet(3)) == 0
    assert send(known[:2]) == 1
    assert send(known[:1]) == (setting == "LIMIT_PEOPLE")  # nobody new
    assert User.objects.count() == 4


def test_a_teacher_opens_so_many_sessions_and_names_so_many(settings: Any) -> None:
    settings.LIMIT_SESSIONS, settings.LIMIT_SESSION_NAMES = 3, 4
    room = make_room(1)

    def open_and_end(number: int) -> None:
        services.session_end(session_id=room.start().id)

    assert granted(open_and_end, 2) == 2
    assert granted(lambda number: room.start(), 3) == 3  # one is opened, and resumed twice
    assert granted(lambda number: services.session_end(session_id=room.start().id), 2) == 1
    assert Session.objects.count() == 3

    settings.LIMIT_SESSIONS = 0
    actor = make_room(0).actor
    assert granted(lambda number: services.session_start_by_name(actor=actor, reference=f"Room {number}"), 6) == 4
    assert granted(lambda number: services.session_start_by_name(actor=actor, reference="Room 0"), 6) == 6
    assert SessionName.objects.count() == 4


def test_records_that_are_sent_in_count_as_sessions(settings: Any) -> None:
    settings.LIMIT_SESSIONS = 2
    room = make_room(1)
    present = {room.students[0].id: Status.PRESENT}

    def send(number: int) -> object:
        instant = datetime(2025, 5, 1 + number, 10, tzinfo=UTC)
        return services.session_record(actor=room.actor, class_id=room.class_id, instant=instant, statuses=present)

    assert granted(send, 4) == 2
    send(0)  # sent again, it is the same record
    assert Session.objects.count() == 2


def finished(room: Room) -> Session:
    return services.session_end(session_id=room.start().id)


def test_corrections_of_a_finished_session_are_under_its_journals_limit(settings: Any) -> None:
    settings.LIMIT_JOURNAL, settings.LIMIT_JOURNAL_A_STUDENT = 3, 1
    room = make_room(2)
    session = finished(room)
    first, second = (student.id for student in room.students)
    services.session_flip(actor=room.actor, session_id=session.id, student_ids=[first, second])
    with pytest.raises(errors.JournalFull):
        services.session_flip(actor=room.actor, session_id=session.id, student_ids=[first, second])
    record = Attendance.objects.get(session=session, student_id=first)
    services.record_correct(by_id=room.teacher.id, record_id=record.id, status=Status.LATE)
    with pytest.raises(errors.JournalFull):
        services.record_correct(by_id=room.teacher.id, record_id=record.id, status=Status.ABSENT)
    assert Mark.objects.filter(session=session).count() == 3
    assert dict(Attendance.objects.filter(session=session).values_list("student_id", "status")) == {
        first: Status.LATE,
        second: Status.PRESENT,
    }


def test_of_many_corrections_at_once_the_journal_takes_as_many_as_it_has_room_for(settings: Any) -> None:
    settings.LIMIT_JOURNAL, settings.LIMIT_JOURNAL_A_STUDENT = 3, 1
    room = make_room(1)
    session = finished(room)
    ids = [room.students[0].id]
    outcomes = at_once([lambda: services.session_flip(actor=room.actor, session_id=session.id, student_ids=ids)] * 6)
    assert sum(isinstance(outcome, errors.JournalFull) for outcome in outcomes) == 3, outcomes
    assert Mark.objects.filter(session=session).count() == 3


def test_marks_by_requests_have_their_share_and_their_room_without_a_live_server_too(settings: Any) -> None:
    settings.LIMIT_MARKS, settings.LIMIT_JOURNAL, settings.LIMIT_JOURNAL_A_STUDENT = 1, 25, 1
    room = make_room(1)
    session = room.start()
    mark = Wanted(room.students[0].id, Status.PRESENT)

    def mark_so_many(count: int, **more: Any) -> Callable[[int], object]:
        asked = {"actor": room.actor, "session": session, "method": Method.BULK, **more}
        return lambda number: session_mark(marks=[mark] * count, **asked)

    assert granted(mark_so_many(10), 3) == 1
    assert granted(mark_so_many(10, actor=actor_of(room.students[0])), 3) == 1  # a share of their own
    settings.LIMIT_MARKS = 0
    with pytest.raises(errors.JournalFull):
        mark_so_many(6, actor=make_room(1).actor)(0)
    assert Mark.objects.filter(session=session).count() == 20


def test_a_large_class_has_a_longer_journal_and_without_limits_none_is_full(settings: Any) -> None:
    settings.LIMIT_JOURNAL, settings.LIMIT_JOURNAL_A_STUDENT = 1, 2
    room = make_room(3)
    session = finished(room)
    ids = [student.id for student in room.students]

    def flip() -> None:
        services.session_flip(actor=room.actor, session_id=session.id, student_ids=ids)

    flip()
    flip()
    with pytest.raises(errors.JournalFull):
        flip()
    settings.LIMITS = False
    flip()


def test_marking_the_rest_and_undoing_it_are_under_the_journals_limit(settings: Any) -> None:
    settings.LIMIT_JOURNAL, settings.LIMIT_JOURNAL_A_STUDENT = 3, 1
    room = make_room(2)
    session = room.start()
    actions.session_mark_rest(actor=room.actor, session_id=session.id, status=Status.PRESENT)
    with pytest.raises(errors.JournalFull):
        actions.session_undo(actor=room.actor, session_id=session.id)
    assert Mark.objects.filter(session=session).count() == 2
    settings.LIMIT_JOURNAL = 4
    actions.session_undo(actor=room.actor, session_id=session.id)
