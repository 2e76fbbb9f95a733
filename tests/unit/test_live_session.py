"""The gate of a live session takes each mark once, in order, and keeps the counts true."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from attendance.enums import Method, Status
from attendance.live.facts import Counts, Marked
from attendance.live.session import LiveSession
from core.identity import Actor, Role

NOW = datetime(2025, 3, 11, 10, tzinfo=UTC)


def new_session() -> LiveSession:
    return LiveSession("s", "c", "t", NOW, roster=frozenset({"a", "b"}))


def new_mark(seq: int, student: str = "a", status: Status = Status.PRESENT) -> Marked:
    return Marked(seq, student, status, NOW, "t", Method.TEACHER)


def test_marks_in_order_are_taken_and_returned() -> None:
    session = new_session()
    marks = [new_mark(1), new_mark(2, "b", Status.ABSENT)]
    assert session.admit(marks) == marks
    assert (session.seq, session.counts, session.counts.total) == (2, Counts(1, 1), 2)


def test_marks_that_are_here_already_are_passed_over() -> None:
    session = new_session()
    session.admit([new_mark(1), new_mark(2)])
    assert session.admit([new_mark(1), new_mark(2)]) == []
    assert session.admit([new_mark(2), new_mark(3)]) == [new_mark(3)]
    assert session.seq == 3


def test_a_gap_takes_nothing() -> None:
    session = new_session()
    session.admit([new_mark(1)])
    assert session.admit([new_mark(3, status=Status.ABSENT)]) is None
    assert session.admit([new_mark(2), new_mark(4)]) is None
    assert (session.seq, session.statuses) == (1, {"a": Status.PRESENT})


def test_late_counts_as_present_and_excused_as_absent() -> None:
    session = new_session()
    session.admit([new_mark(1, "a", Status.LATE), new_mark(2, "b", Status.EXCUSED)])
    assert session.counts == Counts(1, 1)


def test_a_session_concerns_its_teacher_and_its_roster() -> None:
    session = new_session()
    people = [("t", Role.TEACHER), ("a", Role.STUDENT), ("a", Role.TEACHER), ("t", Role.STUDENT), ("x", Role.STUDENT)]
    assert [session.concerns(Actor(user_id, role, "", "")) for user_id, role in people] == [
        True,
        True,
        False,
        False,
        False,
    ]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(list(Status))), max_size=30), st.data())
def test_however_marks_come_what_is_here_is_a_true_beginning_of_the_journal(
    rows: list[tuple[str, Status]], data: st.DataObject
) -> None:
    journal = [new_mark(seq, student, status) for seq, (student, status) in enumerate(rows, start=1)]
    session, told = new_session(), []
    for _ in range(data.draw(st.integers(0, 10))):
        first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(journal))] * 2)))
        told += session.admit(journal[first:last]) or []
    assert told == session.marks == journal[: session.seq]
    fold = {mark.student_id: mark.status for mark in session.marks}
    assert session.statuses == fold
    present = sum(status in (Status.PRESENT, Status.LATE) for status in fold.values())
    assert session.counts == Counts(present, len(fold) - present)
    since = data.draw(st.integers(0, len(journal) + 1))
    assert session.marks_since(since) == journal[since : session.seq]


def test_a_journal_has_a_thousand_marks_or_fifty_a_student() -> None:
    session = LiveSession("s", "c", "t", NOW)
    assert session.room == 1_000
    session.belong_to("t", frozenset(map(str, range(300))))
    assert session.room == 15_000
    session.admit([new_mark(seq) for seq in range(1, 6)])
    assert session.room == 14_995
