"""The rooms dialect: its table of events and its handshake."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from django.conf import settings

from accounts import tokens
from accounts.tokens import Claims
from attendance import selectors, services
from attendance.enums import Method, Status
from attendance.live import events, gateway
from attendance.live.events import Event
from attendance.live.group_commit import Committed
from attendance.live.session import LiveSession
from attendance.marking import Wanted
from attendance.sheets import Sheet
from core import errors, limits
from core.identity import Actor, Role
from dialects.rooms import shapes
from dialects.rooms.failures import END, message_of
from dialects.rooms.shapes import RoomForm, StatisticsForm
from dialects.socketio.dialect import Dialect, Handshake, Refused, Request
from dialects.socketio.packets import UNREADABLE

#: The name by which a client calls a session: its id, its class's id, or a name of the client's own.
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class SessionData(events.Data):
    session_id: Name


class StartData(SessionData):
    #: The class whose session gets the name, if no session has it yet.
    class_id: str | None = None


class StudentData(SessionData):
    student_id: str

    def students(self) -> Collection[str]:
        return (self.student_id,)


class Update(msgspec.Struct):
    student_id: str
    status: Literal["present", "absent"]


class BulkData(SessionData):
    attendanceUpdates: Annotated[list[Update], msgspec.Meta(min_length=1)]

    def students(self) -> Collection[str]:
        return [update.student_id for update in self.attendanceUpdates]


# Finding the session that a message is about


async def started(request: Request, raw: Any) -> LiveSession:
    """The session that `startAttendanceSession` opens or resumes."""
    data = events.read_data(raw, StartData)
    row = await gateway.write(
        services.session_start_by_name,
        actor=request.socket.actor,
        reference=data.session_id,
        class_id=data.class_id,
    )
    session = await request.live.known(row.id, data.session_id)
    if session is None:
        raise errors.NoActiveSession
    return session


async def owned(request: Request, raw: Any) -> LiveSession:
    """The open session that the message names. Raises `NotClassTeacher` if it is another teacher's."""
    session = await _open(request, raw)
    if session.teacher_id != request.socket.actor.id:
        await request.live.ask_for(request.socket)
        if session.teacher_id != request.socket.actor.id:
            raise errors.NotClassTeacher
    return session


async def joined(request: Request, raw: Any) -> LiveSession:
    """The open session that the message names. An open roster takes in the student who asks."""
    live, actor = request.live, request.socket.actor
    session = await _open(request, raw)
    if actor.id not in session.roster:
        await gateway.write(services.session_join, actor=actor, session_id=session.id)
        await live.look()
    return session


async def followed(request: Request, raw: Any) -> LiveSession:
    """The open session that the message names: one of the teacher who asks, or one that the student has joined."""
    if request.socket.actor.role is Role.TEACHER:
        return await owned(request, raw)
    session = await _open(request, raw)
    if session.id not in request.socket.follows:
        raise errors.NoActiveSession if request.socket.actor.id in session.roster else errors.StudentNotEnrolled
    return session


@dataclass(frozen=True, slots=True)
class Found:
    """A session that may be over; `live` is None then."""

    sheet: Sheet
    live: LiveSession | None


async def readable(request: Request, raw: Any) -> Found:
    """The session that the message names, open or over. Raises `NotClassTeacher` if it is another teacher's."""
    data = events.read_data(raw, SessionData)
    if await request.live.find(data.session_id) is not None:
        session = await owned(request, raw)
        return Found(session.sheet(), session)
    sheet = await gateway.read(selectors.session_sheet_for_owner, actor=request.socket.actor, reference=data.session_id)
    return Found(sheet, None)


async def _open(request: Request, raw: Any) -> LiveSession:
    session = await request.live.find(events.read_data(raw, SessionData).session_id)
    if session is None:
        raise errors.NoActiveSession
    return session


# Doing what a message asks for


def _follow(request: Request, session: LiveSession, name: str) -> None:
    form = RoomForm(name, is_teacher=request.socket.actor.role is Role.TEACHER)
    request.live.hub.follow(request.socket, session.id, form)


async def start(request: Request, session: LiveSession, data: StartData) -> None:
    _follow(request, session, data.session_id)
    sheet = session.sheet()
    request.answer(
        "attendanceSessionStarted",
        {
            "session_id": data.session_id,
            "session": shapes.session_shape(data.session_id, sheet),
            "totalStudents": len(sheet.entries),
            "attendanceRecords": shapes.records_shape(data.session_id, sheet),
        },
    )


async def join(request: Request, session: LiveSession, data: SessionData) -> None:
    _follow(request, session, data.session_id)
    request.live.joined(session, request.socket.actor)
    request.answer(
        "attendanceSessionJoined",
        {
            "session_id": data.session_id,
            "message": "Joined the attendance session",
            "attendanceRecord": shapes.record_shape(data.session_id, session.entry(request.socket.actor.id)),
        },
    )


async def mark_present(request: Request, session: LiveSession, data: StudentData) -> None:
    await _mark(request, session, data, Status.PRESENT, "studentMarkedPresent")


async def mark_absent(request: Request, session: LiveSession, data: StudentData) -> None:
    await _mark(request, session, data, Status.ABSENT, "studentMarkedAbsent")


async def _mark(request: Request, session: LiveSession, data: StudentData, status: Status, answer: str) -> None:
    student_id = data.student_id.lower()

    def confirm(committed: Committed) -> None:
        record = shapes.mark_shape(data.session_id, session, committed.marks[0])
        request.answer(answer, {"session_id": data.session_id, "student_id": student_id, "attendanceRecord": record})

    await events.mark_students(request, session, [Wanted(student_id, status)], Method.TEACHER, confirm)


async def bulk(request: Request, session: LiveSession, data: BulkData) -> None:
    def confirm(committed: Committed) -> None:
        records = [shapes.mark_shape(data.session_id, session, mark) for mark in committed.marks]
        request.answer(
            "attendanceBulkUpdateComplete",
            {"session_id": data.session_id, "updatedRecords": records, "totalUpdated": len(records)},
        )

    # If a student has two entries, the last one counts.
    statuses = {update.student_id.lower(): Status(update.status) for update in data.attendanceUpdates}
    wanted = [Wanted(student_id, status) for student_id, status in statuses.items()]
    await events.mark_students(request, session, wanted, Method.BULK, confirm)


async def get_data(request: Request, found: Found, data: SessionData) -> None:
    if found.live is not None:
        _follow(request, found.live, data.session_id)
    request.answer(
        "attendanceSessionData", {"session_id": data.session_id, **shapes.data_shape(data.session_id, found.sheet)}
    )


async def end(request: Request, session: LiveSession, data: SessionData) -> None:
    ended, _ = await request.live.end(session, request.socket.actor)
    request.answer(
        "attendanceSessionEndedConfirm",
        {"session_id": data.session_id, "finalData": shapes.data_shape(data.session_id, ended.sheet)},
    )


async def subscribe(request: Request, session: LiveSession, data: SessionData) -> None:
    form = StatisticsForm(data.session_id)
    request.live.statistics.subscribe(request.socket, session, form)
    request.acknowledge(form.data(session.sheet().statistics))


class Rooms(Dialect):
    """Spoken by connections that have `auth`, and on CHAT_PORT."""

    events: ClassVar = {
        "startAttendanceSession": Event(Role.TEACHER, StartData, start, limits.SHEETS_READ, find=started),
        "joinAttendanceSession": Event(Role.STUDENT, SessionData, join, limits.JOINS, find=joined),
        "markStudentPresent": Event(
            Role.TEACHER, StudentData, mark_present, limits.MARKS, find=owned, marks=True, tells_unknown=True
        ),
        "markStudentAbsent": Event(
            Role.TEACHER, StudentData, mark_absent, limits.MARKS, find=owned, marks=True, tells_unknown=True
        ),
        "getAttendanceSessionData": Event(
            Role.TEACHER, SessionData, get_data, limits.SHEETS_READ, find=readable, reads=True
        ),
        "bulkUpdateAttendance": Event(
            Role.TEACHER, BulkData, bulk, limits.MARKS, find=owned, marks=True, tells_unknown=True
        ),
        END: Event(Role.TEACHER, SessionData, end, find=owned),
        "subscribeStatistics": Event(None, SessionData, subscribe, limits.SHEETS_READ, find=followed, reads=True),
    }
    error_event: ClassVar = "attendanceError"

    @property
    def own_port(self) -> int | None:
        port: int | None = settings.CHAT_PORT
        return port

    def is_meant(self, handshake: Handshake) -> bool:
        if isinstance(handshake.auth, dict) and "token" in handshake.auth:
            return True
        return handshake.auth is not None and "token" not in handshake.query

    def authenticate(self, handshake: Handshake) -> tuple[Actor, Claims]:
        raw = handshake.auth.get("token") if isinstance(handshake.auth, dict) else None
        if raw in (None, "") and handshake.auth is not UNREADABLE:
            raise Refused("No token provided")
        try:
            if not isinstance(raw, str):
                raise errors.Unauthorized
            return tokens.authenticate(raw, settings.ACCESS_TOKEN_SECRET or None)
        except errors.UserGone:
            raise Refused(errors.UserNotFound.message) from None
        except errors.Unauthorized:
            raise Refused("Invalid token") from None

    def message_of(self, error: errors.ApiError, event: str | None) -> str:
        return message_of(error, event)
