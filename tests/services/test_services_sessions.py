"""Sessions start, resume, end, are forgotten and corrected; of many at once one wins and nothing is lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from attendance import services
from attendance.enums import SessionState, Status
from attendance.live.commit import Refusal
from attendance.live.look import look
from attendance.live.view import RECENT, Known
from attendance.models import Attendance, Focus, Mark, Session
from attendance.selectors import status_in_last_session
from attendance.signals import session_changed
from classes.models import Class
from core import errors
from core.database.unit_of_work import unit_of_work
from core.identity import Actor
from tests.services.conftest import actor_of, at_once, commit_marks, enrol, make_room, new_mark

pytestmark = pytest.mark.django_db(transaction=True)


def forget(session: Session) -> None:
    Session.objects.filter(pk=session.id).update(last_activity_at=timezone.now() - timedelta(minutes=241))


def records(session: Session) -> dict[str, tuple[str, str]]:
    rows = Attendance.objects.filter(session_id=session.id).values_list("student_id", "status", "method")
    return {student_id: (status, method) for student_id, status, method in rows}


def test_eight_starts_at_once_open_one_session() -> None:
    room = make_room(1)
    sessions: list[Any] = at_once([room.start] * 8)
    assert len({session.id for session in sessions}) == 1
    assert len({session.started_at for session in sessions}) == 1
    assert Session.objects.count() == 1
    assert Focus.objects.get().session_id == sessions[0].id


def test_the_first_starts_of_several_classes_race_for_the_focus_and_all_succeed() -> None:
    for _ in range(10):
        Focus.objects.all().delete()
        rooms = [make_room(1) for _ in range(4)]
        sessions: list[Any] = at_once([room.start for room in rooms] * 2)
        assert [session for session in sessions if not isinstance(session, Session)] == []
        assert [session.id for session in sessions[:4]] == [session.id for session in sessions[4:]]


def test_starting_another_class_moves_the_focus_and_sets_nothing_else_aside() -> None:
    first, second = make_room(1), make_room(1)
    session = first.start()
    commit_marks([new_mark(first, session)])
    other = second.start()
    assert Focus.objects.get().session_id == other.id
    again = first.start()
    assert (again.id, again.started_at, again.last_seq) == (session.id, session.started_at, 1)
    assert Focus.objects.get().session_id == session.id
    assert Session.objects.filter(state=SessionState.OPEN).count() == 2


def test_a_teacher_takes_the_focus_from_a_used_session_three_times_in_ten_minutes() -> None:
    used, taking, third = make_room(1), make_room(1), make_room(1)
    session = used.start()
    commit_marks([new_mark(used, session)])
    for _ in range(3):
        taking.start()
        used.start()
    with pytest.raises(errors.TooManyRequests) as refused:
        taking.start()
    assert 0 < refused.value.retry_after <= 600
    assert Focus.objects.get().session_id == session.id
    third.start()  # another teacher has moves of their own
    taking.start()  # from a session without a mark, anybody may
    used.start()
    taken = services.session_start(actor=taking.actor, class_id=taking.class_id, move_focus=False)
    assert taken.state == SessionState.OPEN


@pytest.mark.parametrize("lifted", ["no mark for ten minutes", "per-class", "own class", "LIMITS=0"])
def test_what_keeps_nobody_from_marking_may_move_the_focus_any_number_of_times(lifted: str, settings: Any) -> None:
    used, taking = make_room(1), make_room(1)
    if lifted == "own class":
        Class.objects.filter(pk=used.class_id).update(teacher=taking.teacher)
        used.teacher = taking.teacher
    settings.LIVE_SESSIONS = "per-class" if lifted == "per-class" else "single"
    settings.LIMITS = lifted != "LIMITS=0"
    session = used.start()
    commit_marks([new_mark(used, session)])
    if lifted == "no mark for ten minutes":
        Session.objects.filter(pk=session.id).update(last_activity_at=timezone.now() - timedelta(minutes=11))
    for _ in range(5):
        taking.start()
        used.start()


def test_a_class_that_is_deleted_meanwhile_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start ends with an error instead of trying for ever."""
    room = make_room(0)
    attempt = services._open_or_resume

    def too_late(actor: Actor, class_id: str, move_focus: bool) -> Any:
        Class.objects.filter(pk=class_id).delete()
        return attempt(actor, class_id, move_focus)

    monkeypatch.setattr(services, "_open_or_resume", too_late)
    with pytest.raises((IntegrityError, errors.ClassNotFound)):
        room.start()
    assert Session.objects.count() == 0


def test_of_eight_ends_at_once_one_wins() -> None:
    room = make_room(2)
    session = room.start()
    answers = at_once([lambda: services.session_end(session_id=session.id)] * 8)
    assert sum(isinstance(answer, errors.NoActiveSession) for answer in answers) == 7
    assert sum(isinstance(answer, Session) for answer in answers) == 1
    assert Attendance.objects.count() == 2


def test_no_accepted_mark_is_missing_from_the_records_and_none_comes_after_the_end() -> None:
    for number in range(15):
        room = make_room(6)
        session = room.start()
        works: list[Any] = [
            lambda student=student, room=room, session=session: commit_marks([new_mark(room, session, student)])
            for student in range(6)
        ]
        works.insert(number % 7, lambda session=session: services.session_end(session_id=session.id))
        answers: list[Any] = at_once(works)
        ended = answers.pop(number % 7)
        assert isinstance(ended, Session)
        accepted = {room.students[at].id for at, answer in enumerate(answers) if answer != [Refusal.SESSION_OVER]}
        seqs = sorted(answer[0] for answer in answers if answer != [Refusal.SESSION_OVER])
        assert seqs == list(range(1, len(accepted) + 1))
        outcome = records(session)
        assert {student_id for student_id, (status, _) in outcome.items() if status == "present"} == accepted
        assert len(outcome) == 6
        assert ended.last_seq == Mark.objects.filter(session=session).count() == len(accepted)
        assert (ended.present_count, ended.absent_count) == (len(accepted), 6 - len(accepted))


def test_the_records_say_what_each_came_to_and_how() -> None:
    room = make_room(3)
    session = room.start()
    commit_marks([new_mark(room, session, 0), new_mark(room, session, 1), new_mark(room, session, 0, "absent")])
    services.session_end(session_id=session.id)
    assert records(session) == {
        room.students[0].id: ("absent", "teacher"),
        room.students[1].id: ("present", "teacher"),
        room.students[2].id: ("absent", "auto"),
    }


def test_a_marked_student_who_left_the_class_keeps_the_record() -> None:
    room = make_room(2)
    session = room.start()
    commit_marks([new_mark(room, session, 0)])
    room.students[0].enrolments.all().delete()
    services.session_end(session_id=session.id)
    assert records(session)[room.students[0].id] == ("present", "teacher")


def test_a_forgotten_session_ends_as_done_would_end_it() -> None:
    room = make_room(2)
    session = room.start()
    commit_marks([new_mark(room, session)])
    services.session_end_forgotten(session_id=session.id)
    session.refresh_from_db()
    assert session.state == SessionState.OPEN
    forget(session)
    assert look({}, {}).idle == [session.id]
    services.session_end_forgotten(session_id=session.id)
    session.refresh_from_db()
    assert (session.state, session.present_count, session.absent_count) == (SessionState.ENDED, 1, 1)
    assert len(records(session)) == 2


def test_a_forgotten_session_without_a_mark_is_voided_and_counts_nowhere() -> None:
    room = make_room(1)
    session = room.start()
    forget(session)
    services.session_end_forgotten(session_id=session.id)
    session.refresh_from_db()
    assert session.state == SessionState.VOIDED
    assert records(session) == {}
    assert status_in_last_session(actor=actor_of(room.students[0]), class_id=room.class_id) == (room.class_id, None)
    with pytest.raises(errors.NoActiveSession):
        services.session_end(session_id=session.id)
    assert commit_marks([new_mark(room, session)]) == [Refusal.SESSION_OVER]
    view = look({session.id: Known(0, 1)}, {}).sessions
    assert [found.state for found in view] == [SessionState.VOIDED]
    assert look({}, {}).sessions == []


def test_a_start_does_not_resume_a_forgotten_session() -> None:
    room = make_room(1)
    session = room.start()
    commit_marks([new_mark(room, session)])
    forget(session)
    again = room.start()
    assert again.id != session.id
    session.refresh_from_db()
    assert session.state == SessionState.ENDED


def test_a_correction_is_a_row_of_the_journal_and_changes_record_and_counts() -> None:
    room = make_room(2)
    session = room.start()
    commit_marks([new_mark(room, session)])
    services.session_end(session_id=session.id)
    record = Attendance.objects.get(student=room.students[1])
    services.record_correct(by_id=room.teacher.id, record_id=record.id, status=Status.LATE, note="the bus")
    row = Mark.objects.get(seq=2)
    assert (row.student_id, row.status, row.method, row.note) == (room.students[1].id, "late", "correction", "the bus")
    assert row.by_id == room.teacher.id
    assert records(session)[room.students[1].id] == ("late", "correction")
    session.refresh_from_db()
    assert (session.last_seq, session.present_count, session.absent_count) == (2, 2, 0)


@pytest.mark.parametrize("state", [SessionState.OPEN, SessionState.VOIDED])
def test_a_correction_is_refused_unless_the_session_is_a_finished_one(state: SessionState) -> None:
    room = make_room(1)
    session = room.start()
    services.session_end(session_id=session.id)
    record = Attendance.objects.get()
    Session.objects.filter(pk=session.id).update(state=state)
    with pytest.raises(errors.NoActiveSession):
        services.record_correct(by_id=room.teacher.id, record_id=record.id, status=Status.PRESENT)
    record.refresh_from_db()
    assert (record.status, Mark.objects.count()) == ("absent", 0)


def test_a_look_finds_what_is_new_and_nothing_else() -> None:
    room = make_room(2)
    session = room.start()
    commit_marks([new_mark(room, session, 0), new_mark(room, session, 1)])
    first = look({}, {})
    assert first.focus_id == session.id
    (view,) = first.sessions
    assert [mark.seq for mark in view.marks] == [1, 2]
    assert view.roster == {student.id: student.name for student in room.students}
    known = {session.id: Known(1, view.roster_version)}
    (view,) = look(known, {}).sessions
    assert [mark.seq for mark in view.marks] == [2]
    assert view.roster is None
    late = make_room(1).students[0]
    enrol(room.class_id, late)
    (view,) = look(known, {}).sessions
    assert view.roster is not None
    assert late.id in view.roster


def test_a_look_passes_over_a_session_that_is_as_the_last_one_found_it() -> None:
    room = make_room(2)
    session = room.start()
    commit_marks([new_mark(room, session)])
    view = look({}, {})
    version = view.sessions[0].roster_version
    known = {session.id: Known(1, version, view.rows[session.id])}
    assert look(known, {}).sessions == []
    assert look({session.id: Known(0, version, view.rows[session.id])}, {}).sessions != []
    Class.objects.filter(pk=room.class_id).update(name="Chemistry")
    (renamed,) = look(known, {}).sessions
    assert (renamed.class_name, renamed.marks, renamed.roster) == ("Chemistry", [], None)
    Class.objects.filter(pk=room.class_id).update(name="Physics")
    commit_marks([new_mark(room, session, 1)])
    (marked,) = look(known, {}).sessions
    assert [mark.seq for mark in marked.marks] == [2]


def test_a_look_at_many_sessions_from_their_beginning_asks_no_more_than_a_look_at_one(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    rooms = [make_room(2) for _ in range(4)]
    sessions = [room.start() for room in rooms]
    for room, session in zip(rooms, sessions, strict=True):
        commit_marks([new_mark(room, session, 0), new_mark(room, session, 1, "absent")])
    with django_assert_max_num_queries(5):  # the accounts' version, sessions, rosters, co-teachers, marks
        views = look({}, {}).sessions
    assert [view.id for view in views] == [session.id for session in sessions]
    for view, room in zip(views, rooms, strict=True):
        assert view.roster == {student.id: student.name for student in room.students}
        marked = [(mark.seq, mark.student_id, mark.status) for mark in view.marks]
        first, second = room.students
        assert marked == [(1, first.id, "present"), (2, second.id, "absent")]


def test_a_look_finds_what_ended_just_now_and_what_is_known_however_long_ago_it_ended() -> None:
    room = make_room(1)
    session = room.start()
    services.session_end(session_id=session.id)
    (view,) = look({}, {}).sessions
    assert (view.state, view.counts.absent) == (SessionState.ENDED, 1)
    assert look({}, {session.id: 1}).sessions == []
    Session.objects.update(ended_at=timezone.now() - 2 * RECENT)
    assert look({}, {}).sessions == []
    assert len(look({session.id: Known(0, 1)}, {}).sessions) == 1


def test_a_start_that_is_undone_announces_nothing() -> None:
    room, heard = make_room(1), []

    def listen(**kwargs: Any) -> None:
        heard.append(Session.objects.count())

    session_changed.connect(listen)
    try:

        @unit_of_work
        def undone() -> None:
            room.start()
            assert heard == []
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            undone()
        assert heard == []
        room.start()
        assert heard == [1]
    finally:
        session_changed.disconnect(listen)
