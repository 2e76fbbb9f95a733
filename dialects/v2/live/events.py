"""The events that clients send to `/ws/v2`, as a table over the core's guards."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from attendance import actions, check_ins
from attendance.access import session_for_member
from attendance.check_in import Place
from attendance.check_ins import Where
from attendance.enums import Method, SessionState, Status
from attendance.live import events, gateway
from attendance.live.events import Data, Event
from attendance.live.facts import Marked
from attendance.live.group_commit import Committed
from attendance.live.look import marks_since
from attendance.live.process import Live
from attendance.live.requests import commit_marks
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from attendance.marking import Wanted, strangers_of
from attendance.overview import Overview, session_overview
from audit.models import Action as AuditAction
from audit.trail import trail
from classes.access import Part, class_for_member
from core import errors, limits, strict_json
from core.identity import Role
from core.ids import parse_id
from core.times import from_iso, now, to_iso
from dialects.v2.failures import worded
from dialects.v2.live import frames
from dialects.v2.live.frames import State
from dialects.v2.live.room import room
from dialects.v2.serializers.check_in import SelfMarkOutput

StatusWord = Literal["present", "late", "absent", "excused"]
Text = Annotated[str, msgspec.Meta(max_length=64)]


class PingData(Data):
    #: What the client likes to have back.
    t: int | float | str | None = None


class SessionData(Data):
    session: Text


class FollowData(Data):
    session: Text | None = None
    class_id: Text | None = msgspec.field(name="class", default=None)
    #: The last seq that the client has of the session.
    since: Annotated[int, msgspec.Meta(ge=0)] | None = None


class MarkItem(msgspec.Struct):
    studentId: Text
    status: StatusWord
    note: Annotated[str, msgspec.Meta(max_length=255)] = ""
    at: str | None = None
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class MarkData(SessionData):
    marks: Annotated[list[MarkItem], msgspec.Meta(min_length=1, max_length=1000)]


class RestData(SessionData):
    status: StatusWord


class EndData(SessionData):
    unmarked: Literal["absent"] = "absent"


class PlaceItem(msgspec.Struct):
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    accuracy: Annotated[float, msgspec.Meta(ge=0, le=20_100_000)] = 0.0


class CheckInData(Data):
    claim: Annotated[str, msgspec.Meta(max_length=512)] | None = None
    code: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    place: PlaceItem | None = None


class Request(events.Request):
    """A message, and its answer if it has an `id`."""

    protocol = "/ws/v2"
    #: What the client calls the message, once that is read. A refusal has it also where it is of a wrong type.
    id: Any = None

    def __init__(self, live: Live, socket: Socket, client: "Client") -> None:
        super().__init__(live, socket)
        self.client = client

    def ok(self, data: frames.Json | None = None) -> None:
        """What was asked for is done and told."""
        if self.id is not None:
            self.live.hub.tell(self.socket, frames.frame("OK", data, self.id))

    def status_of(self, error: errors.ApiError) -> int:
        return worded(error)[0]

    def refuse(self, error: errors.ApiError) -> None:
        self.live.hub.tell(self.socket, frames.error_frame(error, self.client.language, self.socket.actor, self.id))


# Finding what a message is about


async def nothing(request: Request, raw: Any) -> None:
    """For messages that are about no session."""


async def taught(request: Request, raw: Any) -> LiveSession:
    """The open session that the message names, for its teachers.

    Raises `SessionNotFound`, `TeachersOnly`, and `NoActiveSession` for one that is over.
    """
    session = await _open(request, events.read_data(raw, SessionData).session)
    if not session.is_taught_by(request.socket.actor):
        raise errors.TeachersOnly if session.may_be_followed_by(request.socket.actor) else errors.SessionNotFound
    return session


async def _open(request: Request, reference: str) -> LiveSession:
    live, actor, key = request.live, request.socket.actor, parse_id(reference)
    session = live.sessions.get(key or "")
    if session is not None and session.may_be_followed_by(actor):
        return session
    row, part = await gateway.read(session_for_member, actor=actor, session_id=reference)
    if row.state == SessionState.OPEN:
        await live.look()
        session = live.sessions.get(row.id)
    if session is None or not session.may_be_followed_by(actor):
        raise errors.NoActiveSession if part.teaches or part is Part.STUDENT else errors.NotEnrolled
    return session


class Followed(msgspec.Struct):
    """What a client wants to follow: a class, an open session, or one that is over and may be opened again."""

    class_id: str | None = None
    live: Any = None
    over: Any = None


async def followed(request: Request, raw: Any) -> Followed:
    """What the message names. Raises `ClassNotFound`, `SessionNotFound`, `NotEnrolled`."""
    data = events.read_data(raw, FollowData)
    if (data.session is None) == (data.class_id is None):
        raise errors.InvalidMessage
    actor = request.socket.actor
    if data.class_id is not None:
        found, part = await gateway.read(class_for_member, actor=actor, class_id=data.class_id)
        if part is Part.FORMER:
            raise errors.NotEnrolled
        await request.live.ask_for(request.socket)  # its session may have been opened elsewhere a moment ago
        return Followed(class_id=found.id)
    try:
        return Followed(live=await _open(request, data.session or ""))
    except errors.NoActiveSession:
        row, part = await gateway.read(session_for_member, actor=actor, session_id=data.session or "")
        overview = await gateway.read(session_overview, row)
        return Followed(over=overview if part.teaches else overview.for_student(actor.id))


# Doing what a message asks for


async def ping(request: Request, found: None, data: PingData) -> None:
    request.live.hub.tell(request.socket, frames.frame("PONG", {"t": data.t, "serverTime": to_iso(now())}))
    request.ok()


async def follow(request: Request, found: Followed, data: FollowData) -> None:
    socket = request.socket
    if found.class_id is not None:
        room.follow_class(socket, found.class_id)
        found.live = request.live.sessions.of_class(found.class_id)
    about = found.live or found.over
    if about is not None and socket.actor.role is Role.TEACHER:
        way = f"{request.protocol} FOLLOW"
        trail.note(AuditAction.READ, way, actor=socket.actor.id, kind="session", thing=about.id)
    if found.live is not None:
        if data.since is not None and data.since > found.live.seq:
            await request.live.ask_for(socket)  # the client heard later marks at another process
        await room.follow(socket, found.live, data.since)
    elif found.over is not None:
        room.remember(socket, found.over.id)
        marks = (await gateway.read(marks_since, {found.over.id: 0}))[found.over.id]
        text = _over(found.over, marks).frame
        await socket.outlet.answer(lambda: text)
    request.ok()


def _over(overview: Overview, marks: list[Marked]) -> State:
    people = {line.id for line in overview.lines}
    return State(
        overview.id,
        overview.class_name,
        overview.state,
        to_iso(overview.started_at),
        overview.seq,
        [{"_id": line.id, "name": line.name, "rollNumber": line.roll_number} for line in overview.lines],
        [mark for mark in marks if mark.student_id in people],
    )


async def unfollow(request: Request, found: None, data: FollowData) -> None:
    if (data.session is None) == (data.class_id is None):
        raise errors.InvalidMessage
    if data.session is not None:
        room.unfollow(request.socket, parse_id(data.session) or "")
    else:
        room.unfollow_class(request.socket, parse_id(data.class_id) or "")
    request.ok()


async def markable(request: Request, raw: Any) -> LiveSession | None:
    """The open session that the message names; None if it is over, and may have these marks by their keys."""
    try:
        return await taught(request, raw)
    except errors.NoActiveSession:
        if all(item.key is not None for item in events.read_data(raw, MarkData).marks):
            return None
        raise


async def mark(request: Request, session: LiveSession | None, data: MarkData) -> None:
    if len(data.marks) > 1:
        request.socket.share.take(limits.MARKS, len(data.marks) - 1)
    wanted = [_wanted(item) for item in data.marks]
    method = Method.TEACHER if len(wanted) == 1 else Method.BULK
    if session is None:
        row, _ = await gateway.read(session_for_member, actor=request.socket.actor, session_id=data.session)
        made = await gateway.write(commit_marks, actor=request.socket.actor, session=row, marks=wanted, method=method)
        _marked(request, made)
        return
    if not {one.student_id for one in wanted} <= session.roster:
        await request.live.ask_for(request.socket)
    unknown = strangers_of(wanted, session.roster)

    def answer(committed: Committed) -> None:
        _marked(request, committed.marks)

    await events.mark_students(request, session, wanted, method, answer, strangers=unknown)


def _wanted(item: MarkItem) -> Wanted:
    at = from_iso(item.at) if item.at is not None else None
    student_id = parse_id(item.studentId)
    if student_id is None:
        raise errors.StudentNotEnrolled
    if item.at is not None and at is None:
        raise errors.InvalidMessage
    return Wanted(student_id, Status(item.status), item.note, at, item.key)


def _marked(request: Request, marks: Any) -> None:
    request.ok({"marks": [frames.mark(fact) for fact in marks], "seq": max(fact.seq for fact in marks)})


async def rest(request: Request, session: LiveSession, data: RestData) -> None:
    try:
        made = await gateway.write(
            actions.session_mark_rest,
            actor=request.socket.actor,
            session_id=session.id,
            status=Status(data.status),
        )
    finally:
        await request.live.look()
    request.ok({"marks": [frames.new_mark(seq, mark) for seq, mark in made], "seq": made[-1][0] if made else 0})


async def undo(request: Request, session: LiveSession, data: SessionData) -> None:
    try:
        undone = await gateway.write(actions.session_undo, actor=request.socket.actor, session_id=session.id)
    finally:
        await request.live.look()
    request.ok(
        {
            "undone": [{"studentId": key, "status": status} for key, status in undone.before.items()],
            "marks": [frames.new_mark(seq, mark) for seq, mark in undone.marks],
            "seq": undone.marks[-1][0],
        }
    )


async def end(request: Request, session: LiveSession, data: EndData) -> None:
    ended, _ = await request.live.end(session, by=request.socket.actor)
    request.ok({"seq": ended.seq, "counts": frames.counts_of(ended)})


async def check_in(request: Request, found: None, data: CheckInData) -> None:
    if (data.claim is None) == (data.code is None):
        raise errors.InvalidMessage
    place = None
    if data.place is not None:
        place = Place(data.place.latitude, data.place.longitude, data.place.accuracy)
    where = Where(place, request.client.device, request.client.address)
    actor = request.socket.actor
    if data.claim is not None:
        done = await gateway.work(check_ins.check_in_by_claim, actor=actor, claim=data.claim, where=where)
    else:
        done = await gateway.work(check_ins.check_in_by_code, actor=actor, code=data.code or "", where=where)
    request.ok(SelfMarkOutput.show(done))


EVENTS: dict[str, Event] = {
    "PING": Event(None, PingData, ping, find=nothing, reads=True),
    "FOLLOW": Event(None, FollowData, follow, limits.SHEETS_READ, find=followed, reads=True),
    "UNFOLLOW": Event(None, FollowData, unfollow, find=nothing),
    "MARK": Event(Role.TEACHER, MarkData, mark, limits.MARKS, find=markable, marks=True),
    "REST": Event(Role.TEACHER, RestData, rest, limits.SHEETS_READ, find=taught),
    "UNDO": Event(Role.TEACHER, SessionData, undo, limits.SHEETS_READ, find=taught),
    "END": Event(Role.TEACHER, EndData, end, find=taught),
    "CHECK_IN": Event(Role.STUDENT, CheckInData, check_in, find=nothing),
}


@dataclass(frozen=True, slots=True)
class Client:
    """What a socket's handshake says of the client: its device, its address, and the language of its errors."""

    device: str
    address: str | None
    language: str


async def receive(live: Live, socket: Socket, client: Client, text: str) -> None:
    """Does what a client's frame asks for, and answers it, also if that fails."""
    request = Request(live, socket, client)
    await events.serve(request, _perform(request, text))


def _id_of_unreadable(text: str) -> str | int | float | None:
    """The id of a message that is JSON and no strict JSON: some text in it has a NUL, say. None if it has none."""
    try:
        message = json.loads(text)
        found = message.get("id") if isinstance(message, dict) else None
        strict_json.dumps(found).encode()  # neither NaN nor a lone surrogate can be sent
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, str | int | float) else None


async def _perform(request: Request, text: str) -> None:
    try:
        message = strict_json.loads(text)
    except ValueError:
        request.id = _id_of_unreadable(text)
        raise errors.InvalidMessage from None
    if not isinstance(message, dict):
        raise errors.InvalidMessage
    name, request.id = message.get("event"), message.get("id")
    if isinstance(request.id, bool) or not isinstance(request.id, str | int | float | None):
        raise errors.InvalidMessage
    if not isinstance(name, str):
        raise errors.InvalidMessage
    await events.perform(request, EVENTS, name, message.get("data", {}))
