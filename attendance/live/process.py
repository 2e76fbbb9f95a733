"""The live sessions of this process: the module singleton `live`.

The journal is the truth, this is a replica of its open end, and the hub tells it on. Everything new arrives
in one of two ways, and both end at the same gate (`LiveSession.admit`), which takes each mark once, in order:

- a batch of marks, committed here or hinted by another process;
- a look at the database: at start (recovery is replay), when a hint did not fit (a gap), when something else
  changed, and once a second in any case.

So a start, a crash, a lost hint and a second process are one code path.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from channels.layers import get_channel_layer
from django.conf import settings

from accounts import tokens
from attendance import selectors, services
from attendance.enums import Method, SessionState, Status
from attendance.live import gateway, journal
from attendance.live.commit import GroupCommit, Outcome
from attendance.live.directory import Directory
from attendance.live.facts import EVERYBODY, NOBODY, Audience, Counts, Ended, Fact, Joined, Marked, Summary
from attendance.live.hints import Hint, Hints
from attendance.live.hub import Hub
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from attendance.live.statements import NewMark
from attendance.live.statistics import LiveStatistics
from core import errors
from core.identity import Actor
from core.ids import parse_id
from core.server.shutdown import on_stopping
from core.times import now

logger = logging.getLogger(__name__)

LOOK_INTERVAL = 1.0  # seconds
MAX_WAITING = 10_000  # marks

#: The WebSocket close code for a token that is bad, or no longer good.
CLOSE_UNAUTHORIZED = 4401


class Observer(Protocol):
    """Another protocol's sockets, which the hub does not know. Called in the event loop."""

    def told(self, session: LiveSession, facts: Sequence[Fact]) -> None:
        """What this process's sockets are being told of `session`."""

    async def stop(self) -> None:
        """The live server stops."""


class Live:
    """One process's share of the live sessions. All methods but `notice` belong to its event loop."""

    def __init__(self) -> None:
        self.observers: list[Observer] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting: asyncio.Task[None] | None = None
        self._forget()

    def _forget(self) -> None:
        #: The server is about to close all sockets: nothing that clients send counts any more.
        self.stopping = False
        self.hub = Hub()
        self.statistics = LiveStatistics(self.hub)
        self.sessions = Directory()
        self.focus_id: str | None = None
        self._focus_number = 0
        self.accounts_version = 0
        self._finished: dict[str, float] = {}
        #: The open sessions that clients here named, by those names.
        self._named: dict[str, str] = {}
        #: What the last look found.
        self._rows: Mapping[str, journal.Row] = {}
        self._idle: Sequence[str] = ()
        self._loaded = False
        self._commits = GroupCommit(self._committed)
        self._look_lock = asyncio.Lock()
        self._next_look: asyncio.Task[None] | None = None
        self._this_look: asyncio.Task[None] | None = None
        self._pulse: asyncio.Task[None] | None = None
        self._hints: Hints | None = None

    # Start and stop

    @property
    def started(self) -> bool:
        """Whether `start` was called in the running event loop."""
        return self._loop is asyncio.get_running_loop()

    async def start(self) -> None:
        """Loads what is open and begins to watch; once for each event loop, however often it is called."""
        if not self.started:
            self._forget()
            self._loop = asyncio.get_running_loop()
            self._starting = asyncio.create_task(self._start())
        if self._starting is not None:
            await asyncio.shield(self._starting)
        if not self._loaded:
            await self.look()

    async def _start(self) -> None:
        layer = get_channel_layer()
        if layer is not None:
            self._hints = Hints(layer, self._heard)
            await self._hints.start()
        self._pulse = asyncio.create_task(self._watch())

    async def wind_up(self) -> None:
        """Takes nothing more from anybody; commits what is on its way, and tells it."""
        if not self.started:
            return
        self.stopping = True
        await self.look()  # messages that waited for one go on
        await self._commits.drain()
        await gateway.write(lambda: None)  # behind a DONE, say, that was on its way
        await self.look()
        self.hub.flush()

    async def stop(self) -> None:
        """Commits what is on its way and stops watching."""
        if not self.started:
            return
        await self._commits.drain()
        self.hub.flush()
        if self._pulse is not None:
            self._pulse.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pulse
        if self._hints is not None:
            await self._hints.stop()
        for observer in self.observers:
            await observer.stop()
        self._loop = self._starting = None

    # Who is connected

    async def welcome(self, authenticate: Callable[[], tuple[Actor, tokens.Claims | None]], **of_socket: Any) -> Socket:
        """A socket for whoever `authenticate` says is there (it runs in a thread), in the hub from now on.

        So it misses nothing, though its outlet may still hold back. Raises what `authenticate` raises.
        """
        await self.start()
        version = self.accounts_version
        actor, claims = await gateway.read(authenticate)
        socket = Socket(actor, claims, **of_socket)
        self.hub.add(socket)
        if claims is not None:
            wait = max(0.0, claims.expires_at - time.time())
            socket.expiry = asyncio.get_running_loop().call_later(wait, self.dismiss, socket)
        if self.accounts_version != version:
            await self.recheck_sockets()
        return socket

    def leave(self, socket: Socket) -> None:
        """The socket is gone, or as good as gone. Once more does nothing."""
        if socket.expiry is not None:
            socket.expiry.cancel()
        self.statistics.forget(socket)
        self.hub.remove(socket)

    def dismiss(self, socket: Socket) -> None:
        """Closes a socket whose token is no longer good."""
        socket.closing = True
        self.hub.tell(socket, socket.error(errors.SocketUnauthorized.message))
        socket.outlet.close(CLOSE_UNAUTHORIZED)
        self.leave(socket)

    # What clients do

    def session_for(self, actor: Actor, class_id: str | None = None) -> LiveSession | None:
        """The session that is active for `actor`, as far as this process knows.

        One at a time: the focus, if it concerns them. One a class: of those that concern them the one of
        `class_id`, or the one started last.
        """
        if settings.LIVE_SESSIONS == "single":
            focus = self.sessions.get(self.focus_id or "")
            return focus if focus is not None and focus.concerns(actor) else None
        mine = self.sessions.concerning(actor)
        if class_id is not None:
            mine = [session for session in mine if session.class_id == class_id]
        return max(mine, key=lambda session: (session.started_at, session.id), default=None)

    async def find(self, reference: str) -> LiveSession | None:
        """The open session that a client's `reference` names: its id, its class's, or a name.

        What this process knows is enough for a yes; before a no, the database is asked.
        """
        key = parse_id(reference)
        known = self.sessions.get(self._named.get(reference, key or "")) or self.sessions.of_class(key or "")
        if known is not None:
            return known
        found = await gateway.read(selectors.session_find, reference)
        if found is None or found.state != SessionState.OPEN:
            return None
        return await self.known(found.id, name=None if key in (found.id, found.class_ref_id) else reference)

    async def known(self, session_id: str, name: str | None = None) -> LiveSession | None:
        """An open session of the database, which this process may not have seen yet; clients call it `name`."""
        if session_id not in self.sessions:
            await self.look()
        session = self.sessions.get(session_id)
        if session is not None and name is not None:
            self._named[name] = session.id
        return session

    def mark(
        self, session: LiveSession, statuses: Mapping[str, Status], *, by: Actor, method: Method
    ) -> asyncio.Future[Outcome]:
        """Commits marks of students, by id, all or none, and tells them; done when they are in the replica, or refused.

        They have one time. The outcome is the last one's seq. Never raises.
        """
        moment = now()
        return self._commits.submit(
            *(NewMark(session.id, student_id, status, moment, by.id, method) for student_id, status in statuses.items())
        )

    def joined(self, session: LiveSession, student: Actor) -> None:
        """Tells the session's followers, everywhere, that a student is there."""
        joined = Joined(student.id, student.name, now())
        self.hub.publish(session, [joined], NOBODY)
        self._hint(kind="joined", session=session.id, student=student.id, name=student.name, at=joined.at.isoformat())

    @property
    def crowded(self) -> bool:
        """Whether so many marks wait to be committed that who has one among them should wait too."""
        return self._commits.waiting > MAX_WAITING

    def summarize(self, session: LiveSession) -> None:
        """Tells everybody the counts over the marks so far."""
        summary = Summary(session.seq, session.counts)
        self.publish(session, [summary])
        self._hint(
            kind="summary",
            session=session.id,
            focus=self.focus_id,
            seq=summary.seq,
            present=summary.counts.present,
            absent=summary.counts.absent,
        )

    async def end(self, session: LiveSession) -> Ended:
        """Ends a session, writes its records and tells everybody. Raises `NoActiveSession` if it is over."""
        try:
            row = await gateway.write(services.session_end, session_id=session.id)
        finally:
            await self.look()
        if session.ended is not None:
            return session.ended
        counts = Counts(row.present_count or 0, row.absent_count or 0)
        return Ended(row.last_seq, counts, await gateway.read(selectors.session_sheet, session.id))

    # Who hears what

    def audience_of(self, session: LiveSession) -> Audience:
        """Who hears of `session` on /ws."""
        if settings.LIVE_SESSIONS == "single":
            return EVERYBODY if session.id == self.focus_id else NOBODY
        return session.people

    def publish(self, session: LiveSession, facts: Sequence[Fact]) -> None:
        """Tells this process's sockets."""
        if facts:
            session.told = self.audience_of(session)
            self.hub.publish(session, facts, session.told)
            self.statistics.changed(session)
            for observer in self.observers:
                observer.told(session, facts)

    # Looking

    async def look(self) -> None:
        """Reads what the database has; what was committed before the call is known here when it returns."""
        if self._next_look is None:
            self._next_look = asyncio.create_task(self._look())
        await asyncio.shield(self._next_look)

    async def settled(self) -> None:
        """Waits for a look that is asked for or under way: what it finds may be the answer."""
        look = self._next_look or self._this_look
        if look is not None:
            await asyncio.shield(look)

    async def ask_for(self, socket: Socket) -> bool:
        """A look before `socket` is refused something, at most once a second; whether there was one."""
        moment = asyncio.get_running_loop().time()
        if moment - socket.asked_at < LOOK_INTERVAL:
            return False
        socket.asked_at = moment
        await self.look()
        return True

    def notice(self) -> None:
        """Something changed in the database: look soon, here and elsewhere. From any thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is here to be told
                loop.call_soon_threadsafe(self._noticed)

    def _noticed(self) -> None:
        self._look_soon()
        self._hint(kind="look")

    def _look_soon(self) -> None:
        if self._next_look is None:
            self._next_look = asyncio.create_task(self._look())
            self._next_look.add_done_callback(_report)

    async def _look(self) -> None:
        async with self._look_lock:
            # Whoever asks from here on needs another look: this one reads now.
            self._this_look, self._next_look = self._next_look, None
            try:
                known = {
                    key: journal.Known(has.seq, has.roster_version, self._rows.get(key))
                    for key, has in self.sessions.items()
                }
                view = await gateway.read(journal.look, known, frozenset(self._finished))
                self._take(view)
                before, self.accounts_version = self.accounts_version, view.accounts_version
                if view.accounts_version != before:
                    try:
                        await self.recheck_sockets()
                    except BaseException:
                        self.accounts_version = before
                        raise
            finally:
                self._this_look = None

    def _take(self, view: journal.View) -> None:
        """Brings the replica up to `view` and tells what is new in it."""
        # The focus may have moved several times since the last look. Each session that it moved to is told under
        # it, in the order of the moves; the others happened under the focus that this process knows.
        moves = [session for session in view.sessions if session.focus_number > self._focus_number]
        for session in view.sessions:
            if session not in moves:
                self._take_session(session)
        for session in sorted(moves, key=lambda session: session.focus_number):
            self.focus_id, self._focus_number = session.id, session.focus_number
            self._take_session(session)
        self.focus_id = view.focus_id
        for deleted in [key for key in self.sessions if key not in view.rows]:
            self._finish(deleted)
        self._rows, self._idle = view.rows, view.idle
        self._loaded = True

    def _take_session(self, view: journal.SessionView) -> None:
        if view.id in self._finished:
            return  # it ended while the look was under way
        session = self.sessions.get(view.id)
        if session is None:
            if view.state is not SessionState.OPEN and not self._loaded:
                self._finish(view.id)  # over before this process began: nobody here has heard of it
                return
            session = LiveSession(view.id, view.class_id, view.teacher_id, view.started_at)
        session.class_name, session.teacher_name = view.class_name, view.teacher_name
        roster = session.roster
        if view.roster is not None and view.roster_version > session.roster_version:
            roster, session.roster_version = frozenset(view.roster), view.roster_version
            others = {key: name for key, name in session.names.items() if key not in view.roster}
            session.names = view.roster | others | view.other_names
            self.statistics.changed(session)
        if session.id not in self.sessions or (view.teacher_id, roster) != (session.teacher_id, session.roster):
            session.belong_to(view.teacher_id, roster)
            self.sessions.add(session)
        for socket in self.hub.followers(session.id):
            if not session.concerns(socket.actor):  # taken off the roster, or it has another teacher now
                self.hub.unfollow(socket, session.id)
                self.statistics.forget(socket, session.id)
        self.publish(session, session.admit(view.marks) or [])
        if view.state is SessionState.ENDED and view.sheet is not None:
            session.ended = Ended(session.seq, view.counts, view.sheet)
            self.publish(session, [session.ended])
        if view.state is not SessionState.OPEN:
            self._finish(view.id)

    def _finish(self, session_id: str) -> None:
        self.sessions.remove(session_id)
        self._named = {name: named for name, named in self._named.items() if named != session_id}
        self.statistics.over(session_id)
        self.hub.drop(session_id)
        moment = asyncio.get_running_loop().time()
        self._finished[session_id] = moment
        long_ago = moment - 10 * journal.RECENT.total_seconds()
        while self._finished and next(iter(self._finished.values())) < long_ago:
            self._finished.pop(next(iter(self._finished)))

    async def recheck_sockets(self) -> None:
        """Dismisses the sockets whose tokens are no longer good."""
        by_claims: dict[tokens.Claims, list[Socket]] = {}
        for socket in self.hub:
            if socket.claims is not None:
                by_claims.setdefault(socket.claims, []).append(socket)
        if by_claims:
            for claims in await gateway.read(tokens.revoked, by_claims):
                for socket in by_claims[claims]:
                    self.dismiss(socket)

    async def _watch(self) -> None:
        """Once a second: a look, and the end of forgotten sessions."""
        failed = False
        while True:
            try:
                await self.look()
                for session_id in self._idle:
                    await gateway.write(services.session_end_forgotten, session_id=session_id)
                failed = False
            except Exception:
                if not failed:
                    logger.exception("Cannot look at the live sessions; trying again every second.")
                failed = True
            await asyncio.sleep(LOOK_INTERVAL)

    # Batches and hints

    async def _committed(self, marks: Sequence[NewMark]) -> None:
        batches: dict[str, list[Marked]] = {}
        for mark in marks:
            fact = Marked(mark.seq, mark.student_id, mark.status, mark.at, mark.by_id, mark.method)
            batches.setdefault(mark.session_id, []).append(fact)
        fits = [self._admit(session_id, batch) for session_id, batch in batches.items()]
        for session_id, batch in batches.items():
            self._hint(
                kind="marks",
                session=session_id,
                focus=self.focus_id,
                marks=[
                    [mark.seq, mark.student_id, mark.status.value, mark.at.isoformat(), mark.by_id, mark.method.value]
                    for mark in batch
                ],
            )
        if not all(fits):
            await self.look()

    def _admit(self, session_id: str, marks: Sequence[Marked]) -> bool:
        """The batch's way through the gate; False if the database must be looked at first."""
        session = self.sessions.get(session_id)
        new = session.admit(marks) if session is not None else None
        if session is None or new is None:
            return session_id in self._finished
        self.publish(session, new)
        return True

    def _hint(self, **hint: Any) -> None:
        if self._hints is not None:
            self._hints.send(hint)

    async def _heard(self, hint: Hint) -> None:
        """A hint of another process."""
        if hint["kind"] in ("marks", "summary") and hint["focus"] != self.focus_id:
            await self.look()  # one of the two is behind, and the focus decides who hears
        match hint["kind"]:
            case "marks":
                marks = [
                    Marked(seq, student_id, Status(status), datetime.fromisoformat(at), by_id, Method(method))
                    for seq, student_id, status, at, by_id, method in hint["marks"]
                ]
                if not self._admit(hint["session"], marks):
                    await self.look()
            case "summary":
                session = self.sessions.get(hint["session"])
                if session is None or session.seq < hint["seq"]:
                    await self.look()
                    session = self.sessions.get(hint["session"])
                if session is not None:
                    self.publish(session, [Summary(hint["seq"], Counts(hint["present"], hint["absent"]))])
            case "joined":
                session = self.sessions.get(hint["session"])
                if session is not None:
                    joined = Joined(hint["student"], hint["name"], datetime.fromisoformat(hint["at"]))
                    self.hub.publish(session, [joined], NOBODY)
            case "look":
                await self.look()


def _report(look: "asyncio.Task[None]") -> None:
    if not look.cancelled() and look.exception() is not None:
        logger.warning("A look at the live sessions failed, the next one is due in a second: %s", look.exception())


#: This process's live sessions.
live = Live()
on_stopping(live.wind_up)
