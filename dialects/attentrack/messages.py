"""The messages that AttenTrack's app sends, as a table."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts import limits
from accounts.selectors import account_find
from attendance import check_in
from attendance.enums import Method, Status
from attendance.live import gateway
from attendance.live.frames import Frames
from attendance.live.journal import Refusal
from attendance.live.process import LOOK_INTERVAL, live
from attendance.live.session import LiveSession
from core import errors, strict_json
from core.identity import Actor, Role
from dialects.attentrack import services
from dialects.attentrack.board import board, circle_of, place_of, radius_of
from dialects.attentrack.room import Client, attendance2, frame, room

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the table: whether it is a teacher's (asked in the default mode only), and what it does."""

    teachers_only: bool
    handle: Callable[[Client, Data], Awaitable[None]]


async def time_update(client: Client, data: Data) -> None:
    """The countdown. The app reads `location.latitude`, so what it leaves out is filled in, and never null."""
    current = await gateway.read(board.current)
    room.say(
        frame(
            "time_update2",
            time=data.get("time"),
            location=data.get("location") or current.location or "",
            range=data.get("range") or current.radius or "",
        )
    )


async def teacher_loc(client: Client, data: Data) -> None:
    """Where the teacher is and how far students may be: kept for the check of their places, and passed on."""
    location, radius = data.get("location") or "", data.get("range") or ""
    if not settings.ATTENTRACK_OPEN and radius_of(radius) is not None and place_of(location) is None:
        raise errors.LocationMissing  # nobody could be checked against it
    kept = strict_json.dumps(location), strict_json.dumps(radius)
    if len(kept[0]) > 4096 or len(kept[1]) > 128:
        raise errors.InvalidMessage
    teacher_id = client.actor.id if client.actor is not None else None
    await gateway.write(services.place_tell, teacher_id=teacher_id, location=kept[0], radius=kept[1])
    room.say(frame("teacherLoc", location=location, range=radius))


async def first_call(client: Client, data: Data) -> None:
    room.say(frame("first_call"))


async def attendance(client: Client, data: Data) -> None:
    """Somebody is here: a student says so of themself, with the code and the place, or the teacher of a student."""
    roll_number = data.get("rollNumber")
    if isinstance(roll_number, bool) or not isinstance(roll_number, (str, int)):
        raise errors.InvalidMessage
    student_id = await gateway.read(_student_id, str(roll_number).strip())
    actor = client.actor
    if not settings.ATTENTRACK_OPEN and actor is not None and actor.role is Role.STUDENT and actor.id != student_id:
        raise errors.Forbidden
    if student_id is None:
        raise errors.StudentNotFound
    session = await _session_of(client, student_id)
    by = _whose(actor, student_id)
    if not settings.ATTENTRACK_OPEN:
        if by.role is Role.STUDENT:
            await _check(session, student_id, data)
        elif session.teacher_id != by.id:
            raise errors.Forbidden
    if client.closing:
        raise errors.SocketUnauthorized
    last = session.latest.get(student_id)
    if last is not None and last.status.as_basic is Status.PRESENT:
        room.say(attendance2(str(roll_number).strip()))  # sent again, by an app that heard no answer
        return
    method = Method.SELF if by.role is Role.STUDENT else Method.TEACHER
    marking = live.mark(session, {student_id: Status.PRESENT}, by=by, method=method)
    match await asyncio.shield(marking):  # a client that goes away meanwhile must not cancel its mark
        case Refusal.SESSION_OVER:
            raise errors.NoActiveSession
        case Refusal.FAILED:
            raise errors.InternalError
    if session.id not in live.sessions:
        client.outlet.send(Frames([attendance2(str(roll_number).strip())]))  # it ended at once, so the room is not told


def _student_id(roll_number: str) -> str | None:
    student = account_find(role=Role.STUDENT, roll_number=roll_number)
    return student.id if student is not None else None


def _whose(actor: Actor | None, student_id: str) -> Actor:
    """In whose name a mark is made; where nobody says who they are, the student's."""
    return actor or Actor(id=student_id, role=Role.STUDENT, name="", email="")


async def _session_of(client: Client, student_id: str) -> LiveSession:
    """The session with the focus, which the student is enrolled in. Before it says no, the database is asked."""
    await live.settled()
    session = live.sessions.get(live.focus_id or "")
    if session is None or student_id not in session.roster:
        moment = asyncio.get_running_loop().time()
        if moment - client.asked_at >= LOOK_INTERVAL:
            client.asked_at = moment
            await live.look()
            session = live.sessions.get(live.focus_id or "")
    if session is None:
        raise errors.NoActiveSession
    if student_id not in session.roster:
        raise errors.StudentNotEnrolled
    return session


async def _check(session: LiveSession, student_id: str, data: Data) -> None:
    """The code and the place of a student who marks themself. Wrong codes are counted, across processes."""
    subject = f"{session.id}:{student_id}"
    await gateway.read(limits.refuse_if_full, limits.SELF_MARKS, subject)
    current = await gateway.read(board.current)
    known = current.code if current.session is not None and current.session.session_id == session.id else None
    given = data.get("otp")
    try:
        check_in.check(
            codes=[] if known is None else [str(known)],
            code=str(given).strip() if isinstance(given, (str, int)) and not isinstance(given, bool) else None,
            circle=circle_of(current),
            place=place_of(data.get("location")),
        )
    except errors.WrongCode:
        await gateway.write(limits.take, limits.SELF_MARKS, subject)
        raise


MESSAGES: dict[str, Message] = {
    "time_update": Message(True, time_update),
    "attendance": Message(False, attendance),
    "teacherLoc": Message(True, teacher_loc),
    "first_call": Message(True, first_call),
}


async def receive(client: Client, text: str) -> None:
    """Does what a message asks for, or raises the `ApiError` that answers it: format, known type, role, the rest."""
    try:
        data = strict_json.loads(text)
    except ValueError:
        raise errors.InvalidMessage from None
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise errors.InvalidMessage
    message = MESSAGES.get(data["type"])
    if message is None:
        raise errors.UnknownEvent
    if client.closing:
        raise errors.SocketUnauthorized
    actor = client.actor
    if message.teachers_only and not settings.ATTENTRACK_OPEN and (actor is None or actor.role is not Role.TEACHER):
        raise errors.TeacherEventOnly
    await message.handle(client, data)
