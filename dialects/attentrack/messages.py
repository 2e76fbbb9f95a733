"""The messages that AttenTrack's app sends, as a table over the core's guards."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings

from accounts.limits import refuse_if_full, take
from accounts.selectors import account_find
from attendance import check_in
from attendance.enums import Method, Status, basic_of
from attendance.live import events, gateway
from attendance.live.events import Event, NoData
from attendance.live.group_commit import Committed
from attendance.live.session import LiveSession
from attendance.marking import Wanted
from core import errors, limits, strict_json
from core.identity import Actor, Role
from dialects.attentrack import services
from dialects.attentrack.board import board, circle_of, place_of, place_told_by, radius_of
from dialects.attentrack.room import attendance2, error_frame, frame, room

#: The longest place, range and time that a message may have, as JSON, characters. Each goes to everybody.
LONGEST_PLACE, LONGEST_NUMBER = 1024, 128

#: The sender of messages that come without a token, which ATTENTRACK_OPEN allows.
ANYBODY = Actor(id="", role=Role.TEACHER, name="", email="")


class Request(events.Request):
    """A message of the app; a refusal is in the app's words."""

    protocol = "AttenTrack"

    def refuse(self, error: errors.ApiError) -> None:
        self.live.hub.tell(self.socket, error_frame(error))


class PlaceData(events.Data):
    """Where the teacher is and how far from there students may be. The handlers check both."""

    location: Any = None
    range: Any = None


class TimeData(PlaceData):
    #: What the teacher's app counts down.
    time: Any = None


class AttendanceData(events.Data):
    """The student who is here. The app sends the roll number; `with_student` adds the `studentId`."""

    studentId: str
    rollNumber: str
    otp: Any = None
    location: Any = None

    def students(self) -> Collection[str]:
        return (self.studentId,)


# Who a message is about


async def with_student(request: Request, message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message with the id of the student whose roll number it has.

    Raises `InvalidMessage`, `StudentNotFound`, and `Forbidden` for a student who names somebody else.
    """
    actor = request.socket.actor
    roll_number = message.get("rollNumber")
    if isinstance(roll_number, bool) or not isinstance(roll_number, (str, int)):
        raise errors.InvalidMessage
    roll_number = str(roll_number).strip()
    student_id = await gateway.read(_student_id, roll_number)
    if not settings.ATTENTRACK_OPEN and actor.role is Role.STUDENT and actor.id != student_id:
        raise errors.Forbidden
    if student_id is None:
        raise errors.StudentNotFound
    return {**message, "studentId": student_id, "rollNumber": roll_number}


def _student_id(roll_number: str) -> str | None:
    student = account_find(role=Role.STUDENT, roll_number=roll_number)
    return student.id if student is not None else None


# Finding the session that a message is about


async def none(request: Request, raw: Any) -> None:
    """For messages that need no live session."""


async def focused(request: Request, raw: Any) -> LiveSession:
    """The session that has the focus."""
    live = request.live
    return await events.require_session(request, lambda: live.sessions.get(live.focus_id or ""))


# Doing what a message asks for


async def time_update(request: Request, session: None, data: TimeData) -> None:
    """Passes the countdown on. The app reads `location.latitude`, so a place is filled in, and is never null."""
    _short(data.location, LONGEST_PLACE)
    _short(data.range, LONGEST_NUMBER)
    _short(data.time, LONGEST_NUMBER)
    location, radius = data.location, data.range
    if not (location and radius):
        told = await gateway.read(_last_place, request.socket.actor)
        location, radius = location or told[0] or "", radius or told[1] or ""
    update = frame("time_update2", time=data.time, location=location, range=radius)
    await room.say(update, teacher=request.socket.actor)


def _last_place(teacher: Actor) -> tuple[Any, Any]:
    """The location and the range that the sender last told; in open mode the live class's teacher's."""
    if settings.ATTENTRACK_OPEN:
        current = board.current()
        return current.location, current.radius
    return place_told_by(teacher.id)


async def teacher_loc(request: Request, session: None, data: PlaceData) -> None:
    """Keeps where the teacher is and how far students may be, by which their places are checked, and tells the room."""
    location, radius = data.location or "", data.range or ""
    if not settings.ATTENTRACK_OPEN and radius_of(radius) is not None and place_of(location) is None:
        raise errors.LocationMissing  # nobody's place could be checked
    kept = _short(location, LONGEST_PLACE), _short(radius, LONGEST_NUMBER)
    teacher_id = request.socket.actor.id or None
    await gateway.write(services.place_tell, teacher_id=teacher_id, location=kept[0], radius=kept[1])
    await room.say(frame("teacherLoc", location=location, range=radius), teacher=request.socket.actor)


def _short(value: Any, longest: int) -> str:
    """The value as JSON. Raises `InvalidMessage` if that is too long to be told to everybody."""
    text = strict_json.dumps(value)
    if len(text) > longest:
        raise errors.InvalidMessage
    return text


async def first_call(request: Request, session: None, data: NoData) -> None:
    """Passes the call on."""
    await room.say(frame("first_call"), teacher=request.socket.actor)


async def attendance(request: Request, session: LiveSession, data: AttendanceData) -> None:
    """Marks a student present, for the student or for the class's teacher.

    A student must send the code that is told in class, and be at the place.
    """
    actor = request.socket.actor
    if actor is ANYBODY:
        actor = Actor(id=data.studentId, role=Role.STUDENT, name="", email="")
    if not settings.ATTENTRACK_OPEN:
        if actor.role is Role.STUDENT:
            await _check(session, data)
        elif session.teacher_id != actor.id:
            raise errors.Forbidden
    told = attendance2(data.rollNumber)
    last = session.latest.get(data.studentId)
    if last is not None and basic_of(last.status) is Status.PRESENT:
        await room.say_in(session, told)  # the app sends a mark again when it heard no answer
        return

    def answer(committed: Committed) -> None:
        if session.id not in request.live.sessions:
            request.live.hub.tell(request.socket, told)  # the session ended at once, so the room is not told

    await events.mark_students(
        request,
        session,
        [Wanted(data.studentId, Status.PRESENT)],
        Method.SELF if actor.role is Role.STUDENT else Method.TEACHER,
        answer,
        by=actor,
    )


async def _check(session: LiveSession, data: AttendanceData) -> None:
    """Checks the code and the place of a student who marks themself. Wrong codes are counted, across processes."""
    subject = f"{session.id}:{data.studentId}"
    await gateway.read(refuse_if_full, limits.SELF_MARKS, subject)
    current = await gateway.read(board.current)
    is_current = current.session is not None and current.session.session_id == session.id
    known = current.code if is_current else None
    given = data.otp
    try:
        check_in.check(
            codes=[] if known is None else [str(known)],
            code=str(given).strip() if isinstance(given, (str, int)) and not isinstance(given, bool) else None,
            circle=circle_of(current),
            place=place_of(data.location),
        )
    except errors.WrongCode:
        await gateway.write(take, limits.SELF_MARKS, subject)
        raise


#: The table of the default mode.
MESSAGES: dict[str, Event] = {
    "time_update": Event(Role.TEACHER, TimeData, time_update, limits.COUNTDOWNS, find=none),
    "attendance": Event(None, AttendanceData, attendance, limits.MARKS, complete=with_student, find=focused),
    "teacherLoc": Event(Role.TEACHER, PlaceData, teacher_loc, limits.PLACES, find=none),
    "first_call": Event(Role.TEACHER, NoData, first_call, limits.CALLS, find=none),
}
#: The table of ATTENTRACK_OPEN, where the sender's role does not matter.
OPEN_MESSAGES: dict[str, Event] = {kind: replace(message, role=None) for kind, message in MESSAGES.items()}


async def receive(request: Request, text: str) -> None:
    """Does what a message asks for. Raises the `ApiError` that the sender is told."""
    kind, message = read_message(text)
    await events.perform(request, OPEN_MESSAGES if settings.ATTENTRACK_OPEN else MESSAGES, kind, message)


def read_message(text: str) -> tuple[str, Mapping[str, Any]]:
    """The type of a message, and the whole message. Raises `InvalidMessage` for anything that is no message."""
    try:
        message = strict_json.loads(text)
    except ValueError:
        raise errors.InvalidMessage from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise errors.InvalidMessage
    return message["type"], message
