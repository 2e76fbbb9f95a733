"""The canonical protocol's spelling, to the letter, in both wire forms."""

import json
from datetime import UTC, datetime

import pytest

from attendance.enums import Method, Status
from attendance.live import wire
from attendance.live.facts import Counts, Ended, Fact, Joined, Marked, Summary
from attendance.live.session import LiveSession

NOW = datetime(2025, 3, 11, 10, tzinfo=UTC)
MARK = Marked(1, "a", Status.LATE, NOW, "t", Method.TEACHER)
SESSION = LiveSession("s", "c", "t", NOW)

PLAIN: dict[Fact, str] = {
    MARK: '{"event":"ATTENDANCE_MARKED","data":{"studentId":"a","status":"present"}}',
    Summary(3, Counts(1, 2)): '{"event":"TODAY_SUMMARY","data":{"present":1,"absent":2,"total":3}}',
    Ended(4, Counts(1, 2), SESSION.sheet()): (
        '{"event":"DONE","data":{"message":"Attendance persisted","present":1,"absent":2,"total":3}}'
    ),
}


@pytest.mark.parametrize("fact", PLAIN)
def test_a_plain_frame_has_no_field_more(fact: Fact) -> None:
    assert wire.plain(SESSION, [fact]) == [PLAIN[fact]]


@pytest.mark.parametrize("fact", PLAIN)
def test_a_sequenced_frame_is_the_plain_one_and_its_seq(fact: Fact) -> None:
    assert not isinstance(fact, Joined)
    assert [json.loads(text) for text in wire.sequenced(SESSION, [fact])] == [
        {**json.loads(PLAIN[fact]), "seq": fact.seq}
    ]


def test_who_is_there_is_no_event_of_the_contract() -> None:
    joined = Joined("a", "Asha", NOW)
    assert wire.plain(SESSION, [joined]) == wire.sequenced(SESSION, [joined]) == []


def test_the_answer_to_sync_has_the_session_and_its_marks_since() -> None:
    session = LiveSession("s", "c", "t", NOW)
    session.admit([MARK, Marked(2, "b", Status.EXCUSED, NOW, "t", Method.TEACHER)])
    at = "2025-03-11T10:00:00.000Z"
    marks = [{"seq": 2, "studentId": "b", "status": "absent", "at": at}]
    data = {"classId": "c", "startedAt": at, "seq": 2, "marks": marks}
    assert json.loads(wire.sync_frame(session, [wire.sync_marks(session.marks_since(1))])) == {
        "event": "SYNC",
        "data": data,
    }
    assert json.loads(wire.sync_frame(session, [wire.sync_marks(session.marks_since(9))]))["data"]["marks"] == []
    pieces = [wire.sync_marks([mark]) for mark in session.marks]
    assert [mark["seq"] for mark in json.loads(wire.sync_frame(session, pieces))["data"]["marks"]] == [1, 2]


def test_an_error_says_its_message() -> None:
    assert wire.error_frame("No") == '{"event":"ERROR","data":{"message":"No"}}'
