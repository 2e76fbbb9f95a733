"""The events dialect: its table of events, its handshake, and its words for facts."""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from accounts import tokens
from accounts.tokens import Claims
from attendance.enums import Status, basic_of
from attendance.live import events
from attendance.live.events import Event, NoData
from attendance.live.facts import Ended, Fact, Marked
from attendance.live.session import LiveSession
from attendance.live.wire import WireForm
from core import errors, limits
from core.identity import Actor, Role
from dialects.socketio.dialect import Dialect, Handshake, Refused, Request
from dialects.socketio.packets import UNREADABLE, event_frame


class PresentData(events.Data):
    studentId: str
    #: The only status that a teacher can give here; a student without a mark is absent.
    status: ClassVar[str] = Status.PRESENT.value

    def students(self) -> Collection[str]:
        return (self.studentId,)


async def summary(request: Request, session: LiveSession, data: NoData) -> None:
    present = [key for key, mark in session.latest.items() if basic_of(mark.status) is Status.PRESENT]
    request.answer("TODAY_SUMMARY", {"presentCount": len(present), "presentStudentIds": present})


async def my_status(request: Request, session: LiveSession, data: NoData) -> None:
    mark = session.latest.get(request.socket.actor.id)
    is_present = mark is not None and basic_of(mark.status) is Status.PRESENT
    request.answer("MY_STATUS", {"status": "present" if is_present else None})


def spell(fact: Fact) -> tuple[str, Any] | None:
    """The event for a fact, and its data; None if this dialect has no event for it."""
    match fact:
        case Marked(student_id=student_id, status=status):
            return "ATTENDANCE_MARKED", {"studentId": student_id, "status": basic_of(status).value}
        case Ended(sheet=sheet):
            lines = [(entry.student_id, entry.status) for entry in sheet.entries if entry.status is not None]
            attendance = [{"studentId": key, "status": status.as_basic.value} for key, status in lines]
            return "SESSION_ENDED", {
                "classId": sheet.class_id,
                "totalStudents": len(attendance),
                "presentCount": sheet.statistics.present,
                "attendance": attendance,
            }
    return None


def form(session: LiveSession, facts: Sequence[Fact]) -> list[str]:
    """The dialect's wire form."""
    return [event_frame(*spelt) for spelt in map(spell, facts) if spelt is not None]


class Events(Dialect):
    """Spoken by connections whose query has the token, and by those without any token."""

    events: ClassVar = {
        "MARK_ATTENDANCE": Event(Role.TEACHER, PresentData, events.mark, limits.MARKS, marks=True),
        "GET_TODAY_SUMMARY": Event(Role.TEACHER, NoData, summary, reads=True),
        "CHECK_MY_STATUS": Event(Role.STUDENT, NoData, my_status, reads=True),
        "DONE": Event(Role.TEACHER, NoData, events.done),
    }
    error_event: ClassVar = "ERROR"

    @property
    def form(self) -> WireForm | None:
        return form

    def is_meant(self, handshake: Handshake) -> bool:
        return "token" in handshake.query or handshake.auth is None

    def authenticate(self, handshake: Handshake) -> tuple[Actor, Claims]:
        try:
            if handshake.auth is UNREADABLE:
                raise errors.Unauthorized
            return tokens.authenticate(handshake.query.get("token", [""])[0])
        except errors.Unauthorized:
            raise Refused(errors.SocketUnauthorized.message) from None

    def spell(self, session: LiveSession, fact: Fact) -> tuple[str, Any] | None:
        return spell(fact)
