"""Whole records, corrections in bulk, voided sessions, removed classes and named ones, alone and at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from accounts.models import User
from accounts.standing import Author
from attendance import selectors, services
from attendance.enums import Method, SessionState, Status
from attendance.models import Attendance, Mark, Session
from classes import services as class_services
from classes.models import Class
from classes.rosters.entries import entry_of
from core import errors
from core.identity import Role
from core.times import now
from tests.services.conftest import Room, actor_of, at_once, enrol, make_room, make_users

pytestmark = pytest.mark.django_db(transaction=True)

INSTANT = datetime(2025, 5, 17, 10, tzinfo=UTC)
PRESENT, ABSENT = Status.PRESENT, Status.ABSENT


def record(room: Room, statuses: dict[str, Status], instant: datetime = INSTANT) -> tuple[Session, bool]:
    return services.session_record(actor=room.actor, class_id=room.class_id, instant=instant, statuses=statuses)


def recorded(session: Session) -> dict[str, str]:
    return dict(Attendance.objects.filter(session=session).values_list("student_id", "status"))


def test_a_record_sent_by_many_at_once_is_one_record() -> None:
    room = make_room(2)
    first = room.students[0].id
    outcomes: list[Any] = at_once([lambda: record(room, {first: PRESENT})] * 4)
    assert sorted(is_new for _, is_new in outcomes) == [False, False, False, True], outcomes
    assert Session.objects.count() == 1
    assert Mark.objects.count() == 1


def test_a_record_and_a_start_at_once_leave_each_mark_once() -> None:
    room = make_room(2)
    first = room.students[0].id
    for round_number in range(5):
        instant = INSTANT + timedelta(days=round_number)
        works: list[Callable[[], Any]] = [partial(record, room, {first: PRESENT}, instant), room.start]
        outcomes = at_once(works)
        assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
        finished = Session.objects.get(recorded_for=instant)
        assert finished.state == SessionState.ENDED
        assert list(finished.marks.values_list("seq", "student_id")) == [(1, first)]
        for left in Session.objects.filter(state=SessionState.OPEN):
            services.session_end(session_id=left.id)


def test_a_late_student_stays_late_in_a_record_that_says_present() -> None:
    room = make_room(1)
    student = room.students[0].id
    session, _ = record(room, {student: Status.LATE})
    record(room, {student: PRESENT})
    assert recorded(session) == {student: "late"}


def test_a_forgotten_session_is_none_that_a_record_ends() -> None:
    room = make_room(1)
    old = room.start()
    Session.objects.update(last_activity_at=INSTANT)
    session, _ = record(room, {room.students[0].id: PRESENT})
    assert session.id != old.id
    assert Session.objects.get(pk=old.id).state == SessionState.VOIDED


def test_who_was_enrolled_since_gets_a_record_by_the_correction() -> None:
    room = make_room(1)
    session, _ = record(room, {})
    late = make_users(Role.STUDENT, 1)[0]
    enrol(room.class_id, late)
    record(room, {late.id: PRESENT})
    assert recorded(session) == {room.students[0].id: "absent", late.id: "present"}
    assert Session.objects.values_list("present_count", "absent_count").get() == (1, 1)


def test_a_flip_is_all_or_nothing() -> None:
    room = make_room(2)
    first, second = (student.id for student in room.students)
    session, _ = record(room, {first: PRESENT})
    with pytest.raises(errors.StudentNotFound):
        services.session_flip(actor=room.actor, session_id=session.id, student_ids=[first, "f" * 24])
    assert recorded(session) == {first: "present", second: "absent"}
    services.session_flip(actor=room.actor, session_id=session.id, student_ids=[first, second])
    assert recorded(session) == {first: "absent", second: "present"}
    journal = Mark.objects.order_by("seq").values_list("seq", "status", "method")
    assert list(journal) == [
        (1, "present", Method.IMPORT),
        (2, "absent", Method.CORRECTION),
        (3, "present", Method.CORRECTION),
    ]


def test_of_flips_at_once_none_is_lost() -> None:
    room = make_room(1)
    student = room.students[0].id
    session, _ = record(room, {student: PRESENT})

    def flip() -> None:
        services.session_flip(actor=room.actor, session_id=session.id, student_ids=[student])

    assert at_once([flip] * 4) == [None] * 4
    assert [mark.seq for mark in Mark.objects.order_by("seq")] == [1, 2, 3, 4, 5]


def test_of_several_who_void_a_session_one_does() -> None:
    room = make_room(1)
    session, _ = record(room, {room.students[0].id: PRESENT})

    def void() -> None:
        services.session_void(actor=room.actor, session_id=session.id)

    outcomes = at_once([void] * 3)
    assert outcomes.count(None) == 1, outcomes
    with pytest.raises(errors.RecordNotFound):
        services.session_flip(actor=room.actor, session_id=session.id, student_ids=[])
    assert Mark.objects.count() == 1


def test_a_class_is_removed_with_its_live_session_once() -> None:
    room = make_room(1)
    session = room.start()
    Mark.objects.create(
        session=session, seq=1, student=room.students[0], status=PRESENT, at=INSTANT, by=room.teacher, method="self"
    )
    Session.objects.update(last_seq=1)
    outcomes = at_once([lambda: services.class_remove(actor=room.actor, class_id=room.class_id)] * 3)
    assert outcomes.count(None) == 1, outcomes
    assert Session.objects.get().state == SessionState.ENDED
    with pytest.raises(errors.ClassNotFound):
        room.start()


def test_of_classes_that_want_a_name_for_themselves_one_gets_it() -> None:
    teachers = make_users(Role.TEACHER, 4)
    entries = [entry_of(line=1, name="New", email="new@example.com", roll_number="1")]

    def make(teacher_id: str) -> Class:
        return class_services.class_create_with_roster(
            teacher_id=teacher_id, name="Optics", entries=entries, unique_name=True
        )

    outcomes = at_once([lambda key=teacher.id: make(key) for teacher in teachers])  # type: ignore[misc]
    assert sum(isinstance(outcome, Class) for outcome in outcomes) == 1, outcomes
    assert sum(isinstance(outcome, errors.ClassNameTaken) for outcome in outcomes) == 3, outcomes


def test_a_name_that_somebody_else_reserves_after_it_was_looked_for_stays_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    squatter, quicker, teacher = make_users(Role.TEACHER, 3)
    Class.objects.create(name="Optics", teacher=squatter, reserved_name="Optics")
    asked: list[str] = []

    def gives_way(of: User, author: Author) -> bool:
        if not asked:  # as if another request were between our look and our write
            Class.objects.filter(reserved_name="Optics").update(reserved_name=None)
            Class.objects.create(name="Optics", teacher=quicker, reserved_name="Optics")
        asked.append(of.id)
        return False

    monkeypatch.setattr(class_services, "name_stands", gives_way)
    made = class_services.class_create_with_roster(teacher_id=teacher.id, name="Optics", entries=[], unique_name=True)
    # The first attempt was undone as a whole, the other class in it too; the second attempt looked anew.
    assert asked == [squatter.id, squatter.id]
    assert list(Class.objects.exclude(reserved_name=None)) == [made]


def test_others_may_still_have_the_name_twice() -> None:
    teacher = actor_of(make_users(Role.TEACHER, 1)[0])
    for _ in range(2):
        class_services.class_create(teacher=teacher, name="Optics")
    with pytest.raises(errors.ClassNameTaken):
        class_services.class_create_with_roster(teacher_id=teacher.id, name="Optics", entries=[], unique_name=True)


def test_a_session_that_lies_in_the_future_is_not_the_last_one() -> None:
    room = make_room(1)
    student = room.students[0]
    record(room, {student.id: PRESENT})
    ahead, _ = record(room, {student.id: ABSENT}, INSTANT + timedelta(days=1))
    of_student = partial(selectors.status_in_last_session, actor=actor_of(student), class_id=room.class_id)
    assert of_student() == (room.class_id, ABSENT)
    # As an earlier version took it.
    Session.objects.filter(pk=ahead.id).update(ended_at=now() + timedelta(days=1))
    assert of_student() == (room.class_id, PRESENT)
    found = selectors.session_find(room.class_id)
    assert found is not None
    assert found.recorded_for == INSTANT
