"""What prepared statements read of somebody's classes and sessions is what the rules of lists say."""

from datetime import timedelta

import pytest

from accounts.models import User
from attendance import services
from attendance.access import session_for_member
from attendance.enums import Status
from attendance.models import Session
from attendance.overview import session_overview, sessions_listed
from classes.models import Class, CoTeacher, Enrolment
from classes.selectors import class_names, classes_taught
from core import errors
from core.identity import Actor, Role
from core.times import now, today
from tests.services.conftest import actor_of, commit_marks, make_room, make_users, new_mark

pytestmark = pytest.mark.django_db(transaction=True)

A_DAY = timedelta(days=1)


def office() -> Actor:
    (person,) = make_users(Role.TEACHER, 1)
    return Actor(id=person.id, role=Role.TEACHER, name=person.name, email=person.email, is_superuser=True)


def test_the_names_are_those_of_the_classes_that_a_teacher_teaches_now() -> None:
    rooms = [make_room() for _ in range(5)]
    teacher = rooms[0].actor
    for room in rooms[1:4]:
        CoTeacher.objects.create(class_ref_id=room.class_id, teacher_id=teacher.id)
    Class.objects.filter(pk=rooms[2].class_id).update(archived_at=now())
    Class.objects.filter(pk=rooms[3].class_id).update(removed_at=now())
    for actor, number in ((teacher, 2), (rooms[1].actor, 1), (rooms[2].actor, 0), (office(), 3)):
        found = class_names(actor=actor, day=today())
        assert found == dict(classes_taught(actor=actor, archived=False).values_list("id", "name"))
        assert len(found) == number


def test_the_names_are_those_of_the_classes_that_a_student_attends_on_the_day() -> None:
    rooms = [make_room() for _ in range(3)]
    (student,) = make_users(Role.STUDENT, 1)
    day = today()
    for room, since, until in zip(rooms, (None, None, day + A_DAY), (None, day, None), strict=True):
        Enrolment.objects.create(class_ref_id=room.class_id, student=student, since=since, until=until)
    for asked, number in ((day, 2), (day + A_DAY, 2), (day - A_DAY, 2)):
        held = Enrolment.objects.on(asked).filter(student=student).values_list("class_ref_id", flat=True)
        found = class_names(actor=actor_of(student), day=asked)
        assert set(found) == set(held)
        assert len(found) == number
    Class.objects.filter(pk=rooms[0].class_id).update(archived_at=now())
    Class.objects.filter(pk=rooms[1].class_id).update(removed_at=now())
    assert class_names(actor=actor_of(student), day=day) == {}


def test_a_student_may_read_the_sessions_that_are_listed_for_them_and_no_others() -> None:
    room = make_room(students=2)
    ended = room.start()
    services.session_end(session_id=ended.id)
    (late,) = make_users(Role.STUDENT, 1)
    Enrolment.objects.create(class_ref_id=room.class_id, student=late)
    services.session_start(actor=room.actor, class_id=room.class_id)
    Enrolment.objects.filter(student=room.students[1]).update(since=today() - 2 * A_DAY, until=today() - A_DAY)
    (stranger,) = make_users(Role.STUDENT, 1)
    counts = []
    for student in (*room.students, late, stranger):
        listed = set(sessions_listed(room.class_id, student_id=student.id).values_list("id", flat=True))
        may_read = set()
        for session in Session.objects.all():
            try:
                found, _ = session_for_member(actor=actor_of(student), session_id=session.id)
            except errors.SessionNotFound:
                continue
            may_read.add(found.id)
            assert found.class_ref == Class.objects.get(pk=room.class_id)
        assert may_read == listed
        counts.append(len(may_read))
    assert counts == [2, 1, 1, 0]


def test_of_a_removed_class_nobody_reads_a_session() -> None:
    room = make_room()
    session = room.start()
    Class.objects.filter(pk=room.class_id).update(removed_at=now())
    with pytest.raises(errors.SessionNotFound):
        session_for_member(actor=room.actor, session_id=session.id)


def test_whoever_was_marked_and_has_left_is_in_the_open_session_with_name_and_roll_number() -> None:
    room = make_room(students=2)
    session = room.start()
    commit_marks([new_mark(room, session)])
    gone, left = room.students
    User.objects.filter(pk=gone.pk).update(roll_number="7", roll_number_key="7")
    Enrolment.objects.filter(student=gone).update(since=today() - 2 * A_DAY, until=today() - A_DAY)
    found = {line.id: (line.name, line.roll_number, line.status) for line in session_overview(session).lines}
    assert found == {gone.id: (gone.name, "7", Status.PRESENT), left.id: (left.name, None, None)}
