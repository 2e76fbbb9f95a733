"""The events that clients send on /ws, as a table, and the one order in which they are checked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings

from attendance.enums import Method, Status
from attendance.live import wire
from attendance.live.hub import Socket
from attendance.live.journal import Refusal
from attendance.live.process import Live
from attendance.live.session import LiveSession, Marked
from core import errors, strict_json
from core.identity import Role
from core.ids import parse_id
from core.times import now


class NoData(msgspec.Struct):
    """For events whose `data` may be missing."""


class MarkData(msgspec.Struct):
    studentId: str
    status: Literal["present", "absent"]


class SyncData(msgspec.Struct):
    #: The last seq that the client has.
    since: Annotated[int, msgspec.Meta(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the table: who may send it (None: anybody), what `data` must be, what it does."""

    role: Role | None
    data: type[msgspec.Struct]
    handle: Callable[[Live, Socket, LiveSession, Any], Awaitable[None]]


async def mark(live: Live, socket: Socket, session: LiveSession, data: MarkData) -> None:
    """Does not wait for the commit: a burst from one socket shares commits like marks from many."""
    if live.crowded and socket.mark is not None:
        await asyncio.shield(socket.mark)  # a flood waits for its own marks
    student_id, status = data.studentId.lower(), Status(data.status)
    committing = live.mark(session, student_id=student_id, status=status, by=socket.actor, method=Method.TEACHER)
    socket.mark = committing

    def answer(done: "Any") -> None:
        if socket.mark is committing:
            socket.mark = None
        match done.result():
            case Refusal.SESSION_OVER:
                live.hub.tell(socket, wire.error_frame(errors.NoActiveSession.message))
            case Refusal.FAILED:
                live.hub.tell(socket, wire.error_frame(errors.InternalError.message))
            case seq if not _heard(socket, session):
                live.hub.tell(socket, socket.form(Marked(seq, student_id, status, now())))

    committing.add_done_callback(answer)


async def today_summary(live: Live, socket: Socket, session: LiveSession, data: NoData) -> None:
    live.summarize(session)


async def my_attendance(live: Live, socket: Socket, session: LiveSession, data: NoData) -> None:
    status = session.statuses.get(socket.actor.id)
    live.hub.tell(
        socket, wire.frame("MY_ATTENDANCE", {"status": status.as_basic.value if status else "not yet updated"})
    )


async def done(live: Live, socket: Socket, session: LiveSession, data: NoData) -> None:
    ended = await live.end(session)
    if not _heard(socket, session):
        live.hub.tell(socket, socket.form(ended))


async def sync(live: Live, socket: Socket, session: LiveSession, data: SyncData) -> None:
    def answer() -> str:
        # At one moment: what was published before goes out before, what comes later carries a seq.
        live.hub.change_form(socket, wire.sequenced)
        return wire.sync_frame(session, data.since)

    await socket.outlet.answer(answer)


def _heard(socket: Socket, session: LiveSession) -> bool:
    """Whether the sender was told what just came of `session`: not if the focus had moved on before the commit.

    Where the focus is by now says nothing about that: it may have moved after everybody was told.
    """
    return session.told is None or socket.actor.id in session.told


EVENTS: dict[str, Event] = {
    "ATTENDANCE_MARKED": Event(Role.TEACHER, MarkData, mark),
    "TODAY_SUMMARY": Event(Role.TEACHER, NoData, today_summary),
    "MY_ATTENDANCE": Event(Role.STUDENT, NoData, my_attendance),
    "DONE": Event(Role.TEACHER, NoData, done),
    "SYNC": Event(None, SyncData, sync),
}

_WRONG_ROLE: dict[Role, type[errors.ApiError]] = {
    Role.TEACHER: errors.TeacherEventOnly,
    Role.STUDENT: errors.StudentEventOnly,
}


async def receive(live: Live, socket: Socket, text: str) -> None:
    """Does what a client's frame asks for, or raises the `ApiError` that answers it.

    The order is the contract's: format, known event, role, active session, data, enrolment. This process's
    replica may say yes; before it says no, the database is asked.
    """
    name, raw = read_message(text)
    event = EVENTS.get(name)
    if event is None:
        raise errors.UnknownEvent
    if socket.mark is not None and event.handle is not mark:
        # What this client sent before comes first. A client that goes away meanwhile must not cancel its mark.
        await asyncio.shield(socket.mark)
    await live.settled()
    if event.role is not None and socket.actor.role is not event.role:
        await live.ask_for(socket)  # finds a changed role, and closes the socket then
        raise _WRONG_ROLE[event.role]
    class_id = _chosen_class(raw)
    session = live.session_for(socket.actor, class_id)
    if session is None and await live.ask_for(socket):
        session = live.session_for(socket.actor, class_id)
    if session is None:
        raise errors.NoActiveSession
    try:
        data = msgspec.convert(raw, event.data)
    except msgspec.ValidationError:
        raise errors.InvalidMessage from None
    if isinstance(data, MarkData):
        student_id = parse_id(data.studentId)
        if student_id not in session.roster and await live.ask_for(socket):
            # Another process may have changed the roster, or have started another class of the same teacher.
            session = live.session_for(socket.actor, class_id)
            if session is None:
                raise errors.NoActiveSession
        if student_id not in session.roster:
            raise errors.StudentNotEnrolled
    if socket.closing:
        raise errors.SocketUnauthorized  # found out by one of the looks above
    await event.handle(live, socket, session, data)


def read_message(text: str) -> tuple[str, Any]:
    """A frame's event and its data, `{}` where there is none; `InvalidMessage` for anything else."""
    try:
        message = strict_json.loads(text)
    except ValueError:
        raise errors.InvalidMessage from None
    if not isinstance(message, dict) or not isinstance(message.get("event"), str):
        raise errors.InvalidMessage
    return message["event"], message.get("data", {})


def _chosen_class(raw: Any) -> str | None:
    """The class that a client with several sessions chooses; None where there is no choice."""
    if settings.LIVE_SESSIONS == "single" or not isinstance(raw, dict) or "classId" not in raw:
        return None
    return parse_id(raw["classId"]) or ""
