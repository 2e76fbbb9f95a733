"""Who hears what on `/ws/v2`: the sockets of one process, by the sessions and classes that they follow.

Teachers hear a session through the core's hub, which encodes each frame once for all of them. A student hears their own
marks alone, so each has frames of their own, and the room finds the few sockets that a mark is for.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from accounts.selectors import roll_numbers_of
from attendance.check_in import CheckInView
from attendance.live import gateway
from attendance.live.facts import Ended, Fact, Marked
from attendance.live.frames import Frames
from attendance.live.process import Observer, live
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from dialects.v2.live import frames
from dialects.v2.live.codes import Codes

#: A client that lacks more marks than this is told the state instead.
MARKS_RESUMED = 500


class Room(Observer):
    """All methods belong to the event loop."""

    def __init__(self) -> None:
        self._by_user: defaultdict[str, set[Socket]] = defaultdict(set)
        self._by_class: defaultdict[str, set[Socket]] = defaultdict(set)
        #: The sockets that follow a session, or followed it until its end: they are told if it is reopened.
        self._by_session: defaultdict[str, set[Socket]] = defaultdict(set)
        #: By open session, then by person: the students' sockets that follow it.
        self._students: defaultdict[str, defaultdict[str, set[Socket]]] = defaultdict(lambda: defaultdict(set))
        self._tasks: set[asyncio.Task[None]] = set()
        self._codes = Codes()
        live.observers.append(self)

    async def stop(self) -> None:
        self._codes.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Who is there

    def enter(self, socket: Socket) -> None:
        """A socket of this protocol."""
        self._by_user[socket.actor.id].add(socket)

    def leave(self, socket: Socket) -> None:
        """The socket is gone. Once more does nothing."""
        _discard(self._by_user, socket.actor.id, socket)
        for index in (self._by_class, self._by_session):
            for key in list(index):
                _discard(index, key, socket)
        for session_id in list(self._students):
            self._leave_session(socket, session_id)

    def follow_class(self, socket: Socket, class_id: str) -> None:
        """The socket follows the sessions of the class that are to come."""
        self._by_class[class_id].add(socket)

    def unfollow_class(self, socket: Socket, class_id: str) -> None:
        """The socket follows none of the class's sessions any more."""
        _discard(self._by_class, class_id, socket)
        session = live.sessions.of_class(class_id)
        if session is not None:
            self.unfollow(socket, session.id)

    def remember(self, socket: Socket, session_id: str) -> None:
        """The socket wants to know if this session, which is over, is opened again."""
        self._by_session[session_id].add(socket)

    def unfollow(self, socket: Socket, session_id: str) -> None:
        """The socket hears nothing more of this session."""
        _discard(self._by_session, session_id, socket)
        live.hub.unfollow(socket, session_id)
        self._leave_session(socket, session_id)

    def _leave_session(self, socket: Socket, session_id: str) -> None:
        live.statistics.forget(socket, session_id)
        if session_id in self._students:
            _discard(self._students[session_id], socket.actor.id, socket)
            if not self._students[session_id]:
                del self._students[session_id]

    # Following

    async def follow(self, socket: Socket, session: LiveSession, since: int | None = None) -> None:
        """The socket follows an open session from now on, and is told what it lacks: the marks after `since`, or all.

        Nothing happens between what is told here and what is told from then on.
        """
        is_teacher = session.is_taught_by(socket.actor)
        numbers = await gateway.read(roll_numbers_of, list(session.roster) if is_teacher else [socket.actor.id])
        self._by_session[session.id].add(socket)

        def begin() -> str:
            live.hub.flush()
            self._join(socket, session, is_teacher)
            return self._lacked(socket, session, numbers, since, is_teacher)

        await socket.outlet.answer(begin)
        if is_teacher:
            self._codes.tell(session, socket)
        elif session.id in live.sessions:
            live.statistics.subscribe(socket, session, frames.CountsForm(session.id))

    def _join(self, socket: Socket, session: LiveSession, is_teacher: bool) -> None:
        if session.id not in live.sessions or socket not in live.hub:
            return  # the session has ended, or the socket is gone
        if is_teacher:
            live.hub.follow(socket, session.id, frames.teacher_form)
        else:
            self._students[session.id][socket.actor.id].add(socket)

    def _lacked(
        self, socket: Socket, session: LiveSession, numbers: Mapping[str, str], since: int | None, is_teacher: bool
    ) -> str:
        student_id = None if is_teacher else socket.actor.id
        if since is not None and session.seq - MARKS_RESUMED <= since <= session.seq and session.ended is None:
            lacking = [mark for mark in session.marks_since(since) if student_id in (None, mark.student_id)]
            if lacking:
                return frames.marks(session.id, lacking)
            return frames.frame("MARKS", {"session": session.id, "seq": session.seq, "marks": []})
        return frames.state_of(session, numbers, student_id).frame

    # What the live sessions tell

    def opened(self, session: LiveSession) -> None:
        """Tells everybody of the class, and those that follow it what the session is."""
        again = session.openings > 1
        name, of_class = (
            ("REOPENED", {})
            if again
            else (
                "STARTED",
                {"classId": session.class_id, "className": session.class_name},
            )
        )
        told = frames.frame(name, {"session": session.id, **of_class})
        people = session.people | session.co_teachers
        everybody = {socket for user_id in people & self._by_user.keys() for socket in self._by_user[user_id]}
        following = {
            socket
            for socket in self._by_class.get(session.class_id, set()) | self._by_session.get(session.id, set())
            if session.may_be_followed_by(socket.actor)
        }
        for socket in _in_order(following if again else everybody | following):
            live.hub.tell(socket, told)
        for socket in _in_order(following):
            self._spawn(self.follow(socket, session))

    def told(self, session: LiveSession, facts: Sequence[Fact]) -> None:
        """Tells students their own marks, and the end."""
        students = self._students.get(session.id)
        if students is None:
            return
        mine: defaultdict[str, list[Marked]] = defaultdict(list)
        for fact in facts:
            if isinstance(fact, Marked) and fact.student_id in students:
                mine[fact.student_id].append(fact)
        for student_id, marks in mine.items():
            _send(students[student_id], frames.marks(session.id, marks))
        for fact in facts:
            if isinstance(fact, Ended):
                del self._students[session.id]
                _send({socket for sockets in students.values() for socket in sockets}, frames.ended(session.id, fact))

    def roster_changed(self, session: LiveSession) -> None:
        """Tells the teachers who follow the session its roster; whoever is not on it any more hears nothing more."""
        for user_id in [*self._students.get(session.id, ())]:
            for socket in [*self._students[session.id][user_id]] if user_id not in session.roster else ():
                self.unfollow(socket, session.id)
        if live.hub.followers(session.id):
            self._spawn(self._tell_roster(session))

    def check_in_changed(self, session: LiveSession, before: CheckInView) -> None:
        """Tells those who follow how students mark themselves now, and teachers the flags that are new or decided."""
        teachers = [one for one in live.hub.followers(session.id) if one.follows[session.id] is frames.teacher_form]
        if session.check_in.rules != before.rules:
            for socket in teachers:
                live.hub.tell(socket, frames.check_in(session, to_teacher=True))
            students = {one for sockets in self._students.get(session.id, {}).values() for one in sockets}
            _send(students, frames.check_in(session, to_teacher=False))
            self._codes.tell(session)
        for key, flag in session.check_in.flags.items():
            if before.flags.get(key) != flag:
                told = frames.frame("FLAG", {"session": session.id, "flag": frames.flag(flag)})
                for socket in teachers:
                    live.hub.tell(socket, told)

    async def _tell_roster(self, session: LiveSession) -> None:
        numbers = await gateway.read(roll_numbers_of, list(session.roster))
        told = frames.frame("ROSTER", {"session": session.id, "roster": frames.roster(session.people_shown(), numbers)})
        for socket in live.hub.followers(session.id):
            if socket.follows.get(session.id) is frames.teacher_form:
                live.hub.tell(socket, told)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _discard(index: dict[str, set[Socket]], key: str, socket: Socket) -> None:
    if key in index:
        index[key].discard(socket)
        if not index[key]:
            del index[key]


def _in_order(sockets: set[Socket]) -> list[Socket]:
    """As they connected."""
    return sorted(sockets, key=lambda socket: socket.number)


def _send(sockets: set[Socket], text: str) -> None:
    # Past the hub, where nothing waits for a socket that follows no session there.
    told = Frames([text])
    for socket in _in_order(sockets):
        socket.outlet.send(told)


#: The room in this process.
room = Room()
