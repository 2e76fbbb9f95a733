"""The events that clients send, as tables, and the one order in which they are checked.

`EVENTS` is the table of /ws. Another protocol has a table of its own, with its names and data, over the same guards. It
has a subclass of `Request`, too, that answers messages in its words.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypeVar

import msgspec
from django.conf import settings

from accounts.selectors import student_get
from attendance.check_in import Place
from attendance.check_ins import Where, check_in_by_code
from attendance.enums import Method, Status, basic_of
from attendance.live import gateway, wire
from attendance.live.catch_up import CatchUp
from attendance.live.commit import Refusal
from attendance.live.facts import Audience, Fact
from attendance.live.group_commit import Committed, Outcome
from attendance.live.limits import MESSAGES_A_TURN, PAUSE, TURN
from attendance.live.process import Live
from attendance.live.refusals import message_refused
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from attendance.marking import Wanted
from core import errors, limits, strict_json
from core.identity import Actor, Role
from core.ids import parse_id
from core.limits import Limit

logger = logging.getLogger(__name__)


class Data(msgspec.Struct):
    """What an event's `data` must be."""

    def students(self) -> Collection[str]:
        """The ids of the students whom the data names, as the client spelt them. They must be on the roster."""
        return ()


D = TypeVar("D", bound=Data)


class NoData(Data):
    """For events whose `data` may be missing."""


class MarkData(Data):
    studentId: str
    status: Literal["present", "absent"]

    def students(self) -> Collection[str]:
        return (self.studentId,)


class LocationItem(msgspec.Struct):
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    accuracy: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class CheckInData(Data):
    code: Annotated[str, msgspec.Meta(max_length=16)]
    location: LocationItem | None = None


class SyncData(Data):
    #: The last seq that the client has.
    since: Annotated[int, msgspec.Meta(ge=0)] = 0


class Request:
    """One message of a client, and how it is answered: here as on /ws. Other protocols add acknowledgements."""

    #: What the audit log calls the protocol.
    protocol: ClassVar[str] = "/ws"

    def __init__(self, live: Live, socket: Socket) -> None:
        self.live = live
        self.socket = socket

    def answer(self, event: str, data: Any) -> None:
        """Tells the sender alone."""
        self.live.hub.tell(self.socket, wire.frame(event, data))

    def done(self, session: LiveSession, fact: Fact, audience: Audience) -> None:
        """The message led to `fact`, which is committed and which `audience` was told. The sender hears it in any case.

        Where the focus is by now does not say who was told: it may have moved since.
        """
        was_told = audience is None or self.socket.actor.id in audience
        if self.socket.form is not None and not was_told:
            self.live.hub.tell(self.socket, *self.socket.form(session, [fact]))

    def status_of(self, error: errors.ApiError) -> int:
        """The status that `error` has over REST in this protocol."""
        return error.status

    def refuse(self, error: errors.ApiError) -> None:
        """Tells the sender why nothing was done."""
        self.live.hub.tell(self.socket, self.socket.error(error.message))


async def active(request: Request, raw: Any) -> LiveSession:
    """The session that is active for the sender. Raises `NoActiveSession` if there is none."""
    class_id = _chosen_class(raw)
    return await require_session(request, lambda: request.live.session_for(request.socket.actor, class_id))


async def require_session(request: Request, find: Callable[[], LiveSession | None]) -> LiveSession:
    """The session that `find` finds in this process; if it finds none, the database is asked before it is asked again.

    Raises `NoActiveSession`.
    """
    session = find()
    if session is None and await request.live.ask_for(request.socket):
        session = find()
    if session is None:
        raise errors.NoActiveSession
    return session


@dataclass(frozen=True, slots=True)
class Event:
    """A row of a table: who may send the event (None: anybody), what `data` must be, and what the event does."""

    role: Role | None
    data: type[Data]
    handle: Callable[[Any, Any, Any], Awaitable[None]]
    #: What the event is charged to. An event that names several students is charged for each.
    limit: Limit = limits.MESSAGES
    #: Completes the raw data. Raises the sender's answer if it cannot.
    complete: Callable[[Any, Any], Awaitable[Any]] | None = None
    #: Finds the session that the message is about, from its raw data. Raises the sender's answer if there is none.
    find: Callable[[Any, Any], Awaitable[Any]] = active
    #: Whether the event only marks: then it need not wait for the sender's marks that are on their way.
    marks: bool = False
    #: Whether the event only tells the sender something: nobody is told it once the sender is gone.
    reads: bool = False
    #: Whether the event may share an answer with others of its kind: then it need not wait for the answer to SYNC.
    shares: bool = False
    #: Whether a student who does not exist is told apart from one who is not on the roster.
    tells_unknown: bool = False


class _Marking(Protocol):
    """Data of an event that marks one student."""

    studentId: str

    @property
    def status(self) -> str: ...


async def mark(request: Request, session: LiveSession, data: _Marking) -> None:
    wanted = [Wanted(data.studentId.lower(), Status(data.status))]

    def answer(committed: Committed) -> None:
        request.done(session, committed.marks[0], committed.audience)

    await mark_students(request, session, wanted, Method.TEACHER, answer)


async def mark_students(
    request: Request,
    session: LiveSession,
    marks: Sequence[Wanted],
    method: Method,
    answer: Callable[[Committed], None],
    *,
    by: Actor | None = None,
    strangers: Collection[str] = (),
) -> None:
    """Marks students, in order, all or none. `answer` gets the marks once they are told.

    `by` is who marks them, the sender if nobody else is named. `strangers`: see `Live.mark`. The sender is told a
    refusal. Nobody waits for the commit here: a burst from one socket shares commits like marks from many sockets.
    """
    live, socket = request.live, request.socket
    if live.crowded and socket.pending is not None:
        await asyncio.shield(socket.pending)  # a socket that floods the server waits for its own marks
    if socket.closing:
        raise errors.SocketUnauthorized  # its token went bad while the handler waited
    pending = live.mark(session, marks, by=by or socket.actor, method=method, strangers=strangers)
    socket.pending = pending

    def decided(outcome: asyncio.Future[Outcome]) -> None:
        if socket.pending is pending:
            socket.pending = None
        match outcome.result():
            case Refusal() as refusal:
                request.refuse(refusal.error)
            case committed:
                answer(committed)

    pending.add_done_callback(decided)


async def today_summary(request: Request, session: LiveSession, data: NoData) -> None:
    request.live.summarize(session)


async def my_attendance(request: Request, session: LiveSession, data: NoData) -> None:
    mark = session.latest.get(request.socket.actor.id)
    request.answer("MY_ATTENDANCE", {"status": basic_of(mark.status).value if mark else "not yet updated"})


async def check_in(request: Request, session: LiveSession, data: CheckInData) -> None:
    location, claims = data.location, request.socket.claims
    place = None
    if location is not None:
        place = Place(location.latitude, location.longitude, location.accuracy)
    where = Where(place, f"token:{claims.token_id if claims is not None else ''}", None)
    actor = request.socket.actor
    done = await gateway.work(check_in_by_code, actor=actor, code=data.code, where=where, session_id=session.id)
    request.answer("MY_ATTENDANCE", {"status": basic_of(done.status).value})


async def done(request: Request, session: LiveSession, data: NoData) -> None:
    ended, audience = await request.live.end(session, request.socket.actor)
    request.done(session, ended, audience)


async def sync(request: Request, session: LiveSession, data: SyncData) -> None:
    if data.since > session.seq:
        # The client heard later marks at another process. This process is behind, and would soon tell them once more.
        await request.live.ask_for(request.socket)
    socket = request.socket
    while socket.catch_up is not None and socket.catching_up is not None:
        if socket.catch_up.covers(session, data.since):
            return
        await asyncio.shield(socket.catching_up)
    socket.catch_up = CatchUp(request.live.hub, socket, session, data.since)
    socket.catching_up = asyncio.create_task(serve(request, _catch_up(socket, socket.catch_up)))


async def _catch_up(socket: Socket, answer: CatchUp) -> None:
    try:
        await answer.send()
    finally:
        socket.catch_up = socket.catching_up = None


EVENTS: dict[str, Event] = {
    "ATTENDANCE_MARKED": Event(Role.TEACHER, MarkData, mark, limits.MARKS, marks=True),
    "TODAY_SUMMARY": Event(Role.TEACHER, NoData, today_summary, limits.SUMMARIES),
    "MY_ATTENDANCE": Event(Role.STUDENT, NoData, my_attendance, reads=True),
    "CHECK_IN": Event(Role.STUDENT, CheckInData, check_in),
    "DONE": Event(Role.TEACHER, NoData, done),
    "SYNC": Event(None, SyncData, sync, limits.SYNCS, reads=True, shares=True),
}

_WRONG_ROLE: dict[Role, type[errors.ApiError]] = {
    Role.TEACHER: errors.TeacherEventOnly,
    Role.STUDENT: errors.StudentEventOnly,
}


async def serve(request: Request, work: Awaitable[None]) -> None:
    """Runs what a message asks for; the sender is told every error that this raises.

    A socket that sends many messages lets others have their turn between them, and one that sends too many is slowed.
    """
    began = time.perf_counter()
    try:
        await work
    except errors.ApiError as error:
        if request.socket.catching_up is not None:
            await asyncio.shield(request.socket.catching_up)  # the answer to the SYNC before comes first
        request.refuse(error)
        if isinstance(error, errors.TooManyRequests) and not request.socket.outlet.is_gone:
            await asyncio.sleep(PAUSE)
    except Exception:
        logger.exception("A client's message failed.")
        request.refuse(errors.InternalError())
    request.socket.handled += 1
    if request.socket.handled % MESSAGES_A_TURN == 0 or time.perf_counter() - began > TURN:
        await asyncio.sleep(0)


async def receive(live: Live, socket: Socket, text: str) -> None:
    """Does what a client's frame on /ws asks for, or raises the `ApiError` that answers it."""
    name, raw = read_message(text)
    await perform(Request(live, socket), EVENTS, name, raw)


async def perform(request: Request, events: Mapping[str, Event], name: str, raw: Any) -> None:
    """Does what the message `name` with the data `raw` asks for, or raises the `ApiError` that answers it.

    The order is the contract's: format, known event, role, active session, data, enrolment. This process's
    replica may say yes; before it says no, the database is asked. A sender who has spent their share is refused before
    anything is looked up. Who may not send the message is noted, as requests are that are refused.
    """
    event = events.get(name)
    if event is None:
        raise errors.UnknownEvent
    try:
        await _perform(request, event, raw)
    except errors.ApiError as error:
        way, status = f"{request.protocol} {name}", request.status_of(error)
        message_refused(request.socket.actor, way, raw, error, status=status, reads=event.reads)
        raise


async def _perform(request: Request, event: Event, raw: Any) -> None:
    live, socket = request.live, request.socket
    socket.share.take(event.limit)
    if event.complete is not None:
        raw = await event.complete(request, raw)
    if socket.pending is not None and not event.marks:
        # The marks that this client sent before come first. A client that goes away meanwhile must not cancel them.
        await asyncio.shield(socket.pending)
    if socket.catching_up is not None and not event.shares:
        await asyncio.shield(socket.catching_up)
    if event.reads and socket.outlet.is_gone:
        return
    await live.settled()
    if event.role is not None and socket.actor.role is not event.role:
        await live.ask_for(socket)  # a changed role is found now, and closes the socket
        raise _WRONG_ROLE[event.role]
    session = await event.find(request, raw)
    data = read_data(raw, event.data)
    named = data.students()
    if len(named) > 1:
        socket.share.take(event.limit, len(named) - 1)
    if named:
        session = await _with_students(request, event, session, raw, data)
    if socket.closing:
        raise errors.SocketUnauthorized  # one of the looks above has found that the token is no longer good
    await event.handle(request, session, data)


async def _with_students(request: Request, event: Event, session: LiveSession, raw: Any, data: Data) -> LiveSession:
    """The session, with the students whom `data` names on its roster."""
    ids = {student_id: parse_id(student_id) for student_id in data.students()}
    if not session.roster.issuperset(ids.values()) and await request.live.ask_for(request.socket):
        # Another process may have changed the roster, or have started another class of the same teacher.
        session = await event.find(request, raw)
    for student_id in ids.values():
        if student_id not in session.roster:
            if event.tells_unknown:
                await gateway.read(student_get, student_id)
            raise errors.StudentNotEnrolled
    return session


def read_message(text: str) -> tuple[str, Any]:
    """A frame's event and its data, `{}` where there is none; `InvalidMessage` for anything else."""
    try:
        message = strict_json.loads(text)
    except ValueError:
        raise errors.InvalidMessage from None
    if not isinstance(message, dict) or not isinstance(message.get("event"), str):
        raise errors.InvalidMessage
    return message["event"], message.get("data", {})


def read_data(raw: Any, kind: type[D]) -> D:
    """An event's data. Raises `InvalidMessage` if `raw` is not of this kind."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError:
        raise errors.InvalidMessage from None


def _chosen_class(raw: Any) -> str | None:
    """The class that a client with several sessions chooses; None where there is no choice."""
    if settings.LIVE_SESSIONS == "single" or not isinstance(raw, dict) or "classId" not in raw:
        return None
    return parse_id(raw["classId"]) or ""
