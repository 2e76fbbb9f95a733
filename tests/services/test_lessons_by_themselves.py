"""Lessons of a timetable that open and end by themselves, whichever process does it and whenever it comes to it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from accounts.selectors import actor_of
from attendance import lessons
from attendance.corrections import session_reopen
from attendance.enums import ExcuseState, Method, SessionState, Status
from attendance.excuses import Span, excuse_add, excuse_decide
from attendance.journal import NewMark
from attendance.lessons import lesson_open, lessons_due
from attendance.live.commit import Unit, commit
from attendance.models import Attendance, Mark, Session
from attendance.services import GRACE, session_end, session_end_planned, session_open
from classes.models import Class, Holiday, Slot
from tests.api.rest import School

pytestmark = pytest.mark.django_db

#: A Monday.
START = datetime(2025, 3, 10, 9, 0, tzinfo=UTC)
END = START + timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def school() -> School:
    """A class whose lesson on Mondays from 9 to 10 opens by itself."""
    made = School()
    Class.objects.update(opens_by_itself=True)
    Slot.objects.create(class_ref=made.physics, weekday=1, start="09:00", end="10:00")
    return made


def follow(moment: datetime) -> list[Session]:
    """The sessions, in the order of their start, after somebody has followed the timetable at `moment`."""
    due = lessons_due(moment)
    for planned in due.begun:
        lesson_open(planned, moment=moment)
    for session_id in due.over:
        session_end_planned(session_id=session_id, moment=moment)
    return list(Session.objects.order_by("started_at"))


def marked(session: Session, school: School, at: datetime = START) -> None:
    commit([Unit([NewMark(session.id, school.student.id, Status.LATE, at, school.owner.id, Method.TEACHER)])])


def test_a_lesson_opens_when_it_begins_and_ends_after_its_end_and_the_grace(school: School) -> None:
    assert follow(START - MINUTE) == []
    (session,) = follow(START)
    assert (session.state, session.started_by_id) == (SessionState.OPEN, school.owner.id)
    marked(session, school)
    assert follow(END + GRACE - MINUTE)[0].state == SessionState.OPEN
    assert follow(END + GRACE)[0].state == SessionState.ENDED
    assert Attendance.objects.get().status == Status.LATE
    assert len(follow(END + GRACE + MINUTE)) == 1


def test_a_lesson_in_which_somebody_still_marks_stays_open_until_they_have_finished(school: School) -> None:
    (session,) = follow(START)
    for minutes in (8, 16):
        marked(session, school, END + minutes * MINUTE)
    assert follow(END + GRACE + 15 * MINUTE)[0].state == SessionState.OPEN
    assert follow(END + GRACE + 16 * MINUTE)[0].state == SessionState.ENDED


def test_a_mark_that_comes_while_a_lesson_is_about_to_end_keeps_it_open(school: School) -> None:
    (session,) = follow(START)
    due = lessons_due(END + GRACE)
    marked(session, school, END + GRACE)
    for session_id in due.over:
        session_end_planned(session_id=session_id, moment=END + GRACE)
    session.refresh_from_db()
    assert (due.over, session.state) == ([session.id], SessionState.OPEN)


def test_the_next_lesson_of_the_class_opens_when_it_begins_and_ends_the_one_before(school: School) -> None:
    Slot.objects.create(class_ref=school.physics, weekday=1, start="10:00", end="11:00")
    (first,) = follow(END - MINUTE)  # the server was down until then
    marked(first, school, END - MINUTE)
    before, after = follow(END)
    assert (before, before.state) == (first, SessionState.ENDED)
    assert (after.planned_for, after.state) == (END, SessionState.OPEN)


def test_a_lesson_whose_time_is_moved_while_it_lasts_goes_on(school: School) -> None:
    follow(START)
    Slot.objects.update(start="09:05")
    assert [one.state for one in follow(START + 5 * MINUTE)] == [SessionState.OPEN]


def test_a_lesson_in_which_nobody_did_anything_is_voided(school: School) -> None:
    follow(START)
    assert follow(END + GRACE)[0].state == SessionState.VOIDED
    assert not Attendance.objects.exists()


def test_a_server_that_was_down_opens_what_is_under_way_and_ends_what_is_over(school: School) -> None:
    (session,) = follow(START + 20 * MINUTE)
    assert session.started_at == START + 20 * MINUTE
    marked(session, school)
    assert follow(END + timedelta(days=2))[0].state == SessionState.ENDED
    assert len(follow(START + timedelta(days=9))) == 1  # a lesson that was missed whole stays so


def test_of_two_processes_at_once_one_opens_the_lesson(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    due = lessons_due(START)
    assert [lesson_open(due.begun[0], moment=START) for _ in range(2)] == [True, False]

    def lost(**_: object) -> bool:
        raise IntegrityError

    monkeypatch.setattr(lessons, "session_open_planned", lost)
    assert lesson_open(due.begun[0], moment=START) is False
    assert Session.objects.count() == 1


@pytest.mark.parametrize("state", [SessionState.OPEN, SessionState.ENDED, SessionState.VOIDED])
def test_a_lesson_that_its_teacher_has_begun_does_not_open_again(school: School, state: SessionState) -> None:
    own = Session.objects.create(
        class_ref=school.physics, started_by=school.owner, started_at=START - 5 * MINUTE, state=state
    )
    assert follow(START + MINUTE) == [own]
    assert follow(END + GRACE)[0].state == state  # and it ends by hand


def test_a_lesson_that_was_ended_by_hand_stays_ended(school: School) -> None:
    (session,) = follow(START)
    session_end(session_id=session.id)
    assert [one.state for one in follow(START + 10 * MINUTE)] == [SessionState.ENDED]


def test_a_lesson_that_was_opened_again_ends_by_hand(school: School) -> None:
    (session,) = follow(START)
    session_end(session_id=session.id)
    session_reopen(actor=actor_of(school.owner), session_id=session.id)
    assert follow(END + GRACE)[0].state == SessionState.OPEN


def test_the_teacher_goes_on_with_the_lesson_that_opened(school: School) -> None:
    moment = datetime.now(UTC).replace(microsecond=0)
    (planned,) = lessons_due(START).begun
    lesson_open(planned, moment=moment)
    session, is_new = session_open(actor=actor_of(school.owner), found=Class.objects.get(), move_focus=False)
    assert (session.planned_for, is_new) == (START, False)


@pytest.mark.parametrize("change", ["not asked for", "archived", "removed", "left out", "a holiday"])
def test_no_lesson_opens_where_none_should(school: School, change: str) -> None:
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    if change == "left out":
        Slot.objects.update(left_out=str(START.date()))
    elif change == "a holiday":
        Holiday.objects.create(name="Spring", since=START.date() - timedelta(days=3), until=START.date())
    else:
        changes: dict[str, dict[str, Any]] = {
            "not asked for": {"opens_by_itself": False},
            "archived": {"archived_at": moment},
            "removed": {"removed_at": moment},
        }
        Class.objects.update(**changes[change])
    assert follow(START) == []


def test_excuses_are_applied_where_a_lesson_opens_by_itself(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attendance.excuses.now", lambda: START - MINUTE)
    school.physics.enrolments.update(since=None)
    day = date(2025, 3, 10)
    excuse = excuse_add(actor=actor_of(school.student), span=Span(day, day), note="ill").excuse
    excuse_decide(actor=actor_of(school.owner), excuse_id=excuse.id, state=ExcuseState.APPROVED)
    follow(START)
    assert Mark.objects.get().status == Status.EXCUSED
