"""The shapes of the rooms dialect. Each names the session by the id that the client uses for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from attendance.enums import Method, SessionState, Status
from attendance.live.facts import Ended, Fact, Joined, Marked
from attendance.live.session import LiveSession
from attendance.sheets import Entry, Sheet, Statistics
from core.times import to_iso
from dialects.socketio.packets import event_frame

Json = dict[str, Any]

#: The dialect's words for the states of a session.
_STATES = {SessionState.OPEN: "active", SessionState.ENDED: "ended", SessionState.VOIDED: "ended"}


def session_shape(session_id: str, sheet: Sheet) -> Json:
    """The field `session`."""
    return {
        "session_id": session_id,
        "_id": sheet.session_id,
        "class_id": sheet.class_id,
        "className": sheet.class_name,
        "teacher_id": sheet.teacher_id,
        "status": _STATES[sheet.state],
        "started_at": to_iso(sheet.started_at),
        "ended_at": _time(sheet.ended_at),
    }


def record_shape(session_id: str, entry: Entry) -> Json:
    """The field `attendanceRecord`."""
    return {
        "session_id": session_id,
        "student_id": entry.student_id,
        "student_name": entry.name,
        "status": _status(entry.status),
        "marked_at": _time(entry.at),
        "marked_by": entry.by_id,
    }


def mark_shape(session_id: str, session: LiveSession, mark: Marked) -> Json:
    """The field `attendanceRecord` after a mark."""
    name = session.name_of(mark.student_id)
    return record_shape(session_id, Entry(mark.student_id, name, mark.status, mark.at, mark.by_id))


def records_shape(session_id: str, sheet: Sheet) -> list[Json]:
    """The field `attendanceRecords`."""
    return [record_shape(session_id, entry) for entry in sheet.entries]


def statistics_shape(statistics: Statistics) -> Json:
    """The field `statistics`."""
    return {
        "total": statistics.total,
        "present": statistics.present,
        "absent": statistics.absent,
        "unmarked": statistics.unmarked,
        "attendanceRate": statistics.rate,
    }


def data_shape(session_id: str, sheet: Sheet) -> Json:
    """The fields `{session, attendanceRecords, statistics}`."""
    return {
        "session": session_shape(session_id, sheet),
        "attendanceRecords": records_shape(session_id, sheet),
        "statistics": statistics_shape(sheet.statistics),
    }


@dataclass(frozen=True, slots=True)
class RoomForm:
    """The wire form of sockets that call a session `session_id`: the teacher's, or the students'."""

    session_id: str
    is_teacher: bool

    def __call__(self, session: LiveSession, facts: Sequence[Fact]) -> list[str]:
        return [
            event_frame(event, {"session_id": self.session_id, **data})
            for group in _together(facts)
            for event, data in self._spell(session, group)
        ]

    def _spell(self, session: LiveSession, group: list[Fact]) -> Iterable[tuple[str, Json]]:
        match group:
            case [Marked(method=Method.BULK) as first, *_]:
                marks = [fact for fact in group if isinstance(fact, Marked)]
                records = [mark_shape(self.session_id, session, mark) for mark in marks]
                yield "attendanceBulkUpdated", {"updatedRecords": records, **_update(session, first)}
            case [Marked() as mark]:
                yield (
                    "attendanceUpdated",
                    {
                        "student_id": mark.student_id,
                        "status": _status(mark.status),
                        "attendanceRecord": mark_shape(self.session_id, session, mark),
                        **_update(session, mark),
                    },
                )
            case [Joined() as joined] if self.is_teacher:
                yield (
                    "studentJoinedAttendance",
                    {"student_id": joined.student_id, "student_name": joined.name, "joined_at": to_iso(joined.at)},
                )
            case [Ended(sheet=sheet)]:
                yield (
                    "attendanceSessionEnded",
                    {
                        "finalData": data_shape(self.session_id, sheet),
                        "ended_by": sheet.teacher_name,
                        "ended_at": _time(sheet.ended_at),
                    },
                )


@dataclass(frozen=True, slots=True)
class StatisticsForm:
    """The form of live statistics for sockets that call a session `session_id`."""

    session_id: str

    def __call__(self, statistics: Statistics) -> str:
        return event_frame("attendanceStatistics", self.data(statistics))

    def data(self, statistics: Statistics) -> Json:
        return {"session_id": self.session_id, "statistics": statistics_shape(statistics)}


def _together(facts: Sequence[Fact]) -> Iterable[list[Fact]]:
    """Groups of facts: the marks of a bulk update are one group, and each other fact is a group of its own."""

    def key(entry: tuple[int, Fact]) -> Any:
        position, fact = entry
        is_bulk = isinstance(fact, Marked) and fact.method is Method.BULK
        return (fact.by_id, fact.at) if is_bulk and isinstance(fact, Marked) else position

    for _, group in groupby(enumerate(facts), key):
        yield [fact for _, fact in group]


def _update(session: LiveSession, mark: Marked) -> Json:
    return {"updated_by": session.name_of(mark.by_id), "updated_at": to_iso(mark.at)}


def _status(status: Status | None) -> str | None:
    return None if status is None else status.as_basic.value


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else to_iso(moment)
