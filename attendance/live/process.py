"""The live sessions of this process: the module singleton `live`.

The journal is the truth. The replica holds what this process knows of it, the watcher keeps the replica up with the
database, the group commit writes marks, and the hub tells sockets what is new. `Live` leads from one to the next.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from channels.layers import get_channel_layer
from django.dispatch import receiver

from accounts import tokens
from accounts.signals import accounts_changed
from attendance import selectors, services
from attendance.check_in import CheckInView
from attendance.enums import Method, SessionState
from attendance.live import gateway
from attendance.live.commit import Refusal, Unit
from attendance.live.connections import Connections
from attendance.live.directory import Directory
from attendance.live.facts import NOBODY, Audience, Counts, Ended, Fact, Joined, Marked, Summary
from attendance.live.group_commit import GroupCommit, Outcome
from attendance.live.hint_types import JoinedHint, LiveHint, LookHint, MarksHint, SummaryHint
from attendance.live.hints import Hints
from attendance.live.hub import Hub
from attendance.live.replica import News, Replica
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from attendance.live.statistics import LiveStatistics
from attendance.live.view import View
from attendance.live.watcher import Watcher
from attendance.marking import Wanted, new_marks, strangers_of
from attendance.signals import session_changed
from audit.models import Action
from audit.trail import trail
from classes.signals import roster_changed
from core import errors, metrics
from core.identity import Actor
from core.ids import parse_id
from core.limits import JOURNAL, MARKS
from core.refusals import count_refusal
from core.server.shutdown import on_stopping
from core.times import now

R = TypeVar("R")

MAX_WAITING = 10_000  # marks


class Observer:
    """A protocol that has to do more than the hub does for it. Called in the event loop; each method does nothing."""

    def opened(self, session: LiveSession) -> None:
        """`session` was started, or, with more than one of its `openings`, reopened."""

    def told(self, session: LiveSession, facts: Sequence[Fact]) -> None:
        """This process's sockets are being told these facts of `session`."""

    def roster_changed(self, session: LiveSession) -> None:
        """The class of `session` has other students, names or teachers."""

    def check_in_changed(self, session: LiveSession, before: CheckInView) -> None:
        """The students of `session` mark themselves in another way than `before`, or a flag is new or decided."""

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
        self.hub = Hub(more_follows=lambda: self._commits.waiting > 0)
        self.statistics = LiveStatistics(self.hub)
        self.connections = Connections(self.hub, self.statistics)
        self.replica = Replica()
        self.watcher = Watcher(self.replica, self._take)
        self._commits = GroupCommit(self._announce)
        self._hints: Hints[LiveHint] | None = None

    # Start and stop

    @property
    def started(self) -> bool:
        """Whether `start` was called in the running event loop."""
        return self._loop is asyncio.get_running_loop()

    @property
    def is_running(self) -> bool:
        """Whether the live server runs in this process. From any thread."""
        return self._loop is not None and self._loop.is_running()

    async def start(self) -> None:
        """Loads what is open and begins to watch; once for each event loop, however often it is called."""
        if not self.started:
            self._forget()
            self._loop = asyncio.get_running_loop()
            self._starting = asyncio.create_task(self._start())
        if self._starting is not None:
            await asyncio.shield(self._starting)
        if not self.replica.is_loaded:
            await self.look()

    async def _start(self) -> None:
        layer = get_channel_layer()
        if layer is not None:
            self._hints = Hints(layer, LiveHint, self._heard)
            await self._hints.start()
        self.watcher.start()

    async def wind_up(self) -> None:
        """Takes nothing more from anybody; commits what is on its way, and tells it."""
        if not self.started:
            return
        self.stopping = True
        await self.look()  # messages that waited for a look go on
        await self._commits.drain()
        await gateway.write(lambda: None)  # behind the end of a session, say, that was on its way
        await self.look()
        self.hub.flush()

    async def stop(self) -> None:
        """Commits what is on its way and stops watching."""
        if not self.started:
            return
        await self._commits.drain()
        self.hub.flush()
        await self.watcher.stop()
        if self._hints is not None:
            await self._hints.stop()
        for observer in self.observers:
            await observer.stop()
        self._loop = self._starting = None

    # Who is connected

    async def welcome(self, authenticate: Callable[[], tuple[Actor, tokens.Claims | None]], **of_socket: Any) -> Socket:
        """`Connections.welcome`, once the live sessions are loaded."""
        await self.start()
        return await self.connections.welcome(authenticate, **of_socket)

    def leave(self, socket: Socket) -> None:
        """The socket is gone, or as good as gone. Once more does nothing."""
        self.connections.leave(socket)

    # Which session is meant

    @property
    def sessions(self) -> Directory:
        """The open sessions, as far as this process knows."""
        return self.replica.sessions

    @property
    def focus_id(self) -> str | None:
        """The session with the focus, as far as this process knows."""
        return self.replica.focus_id

    def session_for(self, actor: Actor, class_id: str | None = None) -> LiveSession | None:
        """The session that is active for `actor`, as far as this process knows: see `Replica.session_for`."""
        return self.replica.session_for(actor, class_id)

    async def find(self, reference: str) -> LiveSession | None:
        """The open session that a client's `reference` names: its id, its class's, or a name.

        The replica is enough for a yes; before a no, the database is asked.
        """
        key = parse_id(reference)
        known = self.replica.find(reference, key)
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
            self.replica.name(session, name)
        return session

    # What clients do

    def mark(
        self,
        session: LiveSession,
        marks: Sequence[Wanted],
        *,
        by: Actor,
        method: Method,
        strangers: Collection[str] = (),
    ) -> asyncio.Future[Outcome]:
        """Commits marks of students, in order, all or none, and tells them. They have the same time, or their own.

        `strangers` are students who are not on the roster: of them only marks that are in the journal are answered.
        The future is done when the marks are in the replica, or refused. It never raises. Raises `JournalFull` if the
        session takes no more marks, and none of these has a key; `TimeOutsideLesson`. Processes that mark at the same
        time may go beyond the limit by what is on its way.
        """
        room = session.room - self._commits.on_their_way(session.id)
        is_full = len(marks) > room
        if is_full and all(mark.key is None for mark in marks):
            count_refusal(JOURNAL.label, account=by.id)
            raise errors.JournalFull
        made = new_marks(
            marks,
            session_id=session.id,
            started_at=session.started_at,
            by_id=by.id,
            method=method,
            moment=now(),
        )
        return self._commits.submit(Unit(made, room=max(room, 0) if is_full else None, strangers=strangers))

    async def mark_by_id(
        self, session_id: str, marks: Sequence[Wanted], *, by: Actor, method: Method
    ) -> Sequence[Marked]:
        """`mark` for a session that is named; its marks once they are told.

        Raises `TooManyRequests`, `NoActiveSession`, `StudentNotEnrolled`, `JournalFull`, `TimeOutsideLesson`,
        `KeyReused`.
        """
        await self.start()
        self.connections.charge(by.id, MARKS, len(marks))
        session = await self.known(session_id)
        if session is None:
            raise errors.NoActiveSession
        if not {mark.student_id for mark in marks} <= session.roster:
            await self.look()
        unknown = strangers_of(marks, session.roster)
        outcome = await self.mark(session, marks, by=by, method=method, strangers=unknown)
        if isinstance(outcome, Refusal):
            raise outcome.error
        return outcome.marks

    @property
    def crowded(self) -> bool:
        """Whether so many marks wait to be committed that a client who has one among them should wait too."""
        return self._commits.waiting > MAX_WAITING

    def joined(self, session: LiveSession, student: Actor) -> None:
        """Tells the session's followers, everywhere, that a student is there."""
        joined = Joined(student.id, student.name, now())
        self.hub.publish(session, [joined], NOBODY)
        self._hint(JoinedHint, session.id, joined.student_id, joined.name, joined.at)

    def summarize(self, session: LiveSession) -> None:
        """Tells everybody the counts over the marks so far."""
        summary = Summary(session.seq, session.counts)
        self._tell(self.replica.tell(session, [summary]))
        self._hint(SummaryHint, session.id, self.focus_id, summary.seq, summary.counts)

    async def end(self, session: LiveSession, by: Actor) -> tuple[Ended, Audience]:
        """Ends a session for `by`, writes its records and tells everybody; how it ended, and who was told.

        Raises `NoActiveSession` if the session is over.
        """
        try:
            row = await gateway.write(services.session_end, session_id=session.id)
            trail.note(Action.CHANGE, "end of a session", actor=by.id, kind="session", thing=session.id)
        finally:
            await self.look()
        if session.ended is not None:
            return session.ended, self.replica.last_audience(session.id)
        counts = Counts(row.present_count or 0, row.absent_count or 0)
        return Ended(row.last_seq, counts, await gateway.read(selectors.session_sheet, session.id)), NOBODY

    # Looking

    async def look(self) -> None:
        """`Watcher.look`."""
        await self.watcher.look()

    async def settled(self) -> None:
        """`Watcher.settled`."""
        await self.watcher.settled()

    async def ask_for(self, socket: Socket) -> bool:
        """`Watcher.ask_for`."""
        return await self.watcher.ask_for(socket)

    def call(self, make: Callable[[], Coroutine[Any, Any, R]]) -> R | None:
        """Runs what `make` makes in the event loop, for another thread; None where no live server runs here."""
        loop = self._loop
        if loop is None or not self.is_running:
            return None
        return asyncio.run_coroutine_threadsafe(make(), loop).result()

    def notice(self) -> None:
        """Something changed in the database: look soon, here and elsewhere. From any thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is here to be told
                loop.call_soon_threadsafe(self._noticed)

    def _noticed(self) -> None:
        self.watcher.look_soon()
        self._hint(LookHint)

    async def _take(self, view: View) -> None:
        for news in self.replica.take(view):
            for socket in self.hub.followers(news.session.id):
                if not news.session.may_be_followed_by(socket.actor):  # taken off the roster, or another teacher's now
                    self.hub.unfollow(socket, news.session.id)
                    self.statistics.forget(socket, news.session.id)
            self._tell(news)
        await self.connections.take_version(view.accounts_version)

    # Telling

    def _tell(self, news: News) -> None:
        """Tells this process's sockets."""
        session = news.session
        if news.is_opened:
            for observer in self.observers:
                observer.opened(session)
        if news.facts or news.roster_changed:
            self.statistics.changed(session)
        if news.roster_changed and not news.is_opened:
            for observer in self.observers:
                observer.roster_changed(session)
        if news.check_in_before is not None and not news.is_opened and not news.is_over:
            for observer in self.observers:
                observer.check_in_changed(session, news.check_in_before)
        if news.facts:
            self.hub.publish(session, news.facts, news.audience)
            for observer in self.observers:
                observer.told(session, news.facts)
        if news.is_over:
            self.statistics.over(session.id)
            self.hub.drop(session.id)

    async def _announce(self, committed: Mapping[str, Sequence[Marked]]) -> Mapping[str, Audience]:
        """Tells the marks of a commit, by session, here and elsewhere; who was told here, by session."""
        missing = [session_id for session_id, marks in committed.items() if not self._admit(session_id, marks)]
        audiences = {session_id: self.replica.last_audience(session_id) for session_id in committed}
        for session_id, marks in committed.items():
            self._hint(MarksHint, session_id, self.focus_id, marks)
        if missing:
            await self.look()
            audiences.update((session_id, self.replica.last_audience(session_id)) for session_id in missing)
        return audiences

    def _admit(self, session_id: str, marks: Sequence[Marked]) -> bool:
        """The marks' way through the gate and to the sockets; False if the database must be looked at first."""
        told = self.replica.admit(session_id, marks)
        if told is None:
            metrics.GAPS.inc()
        for news in told or ():
            self._tell(news)
        return told is not None

    # Hints

    def _hint(self, kind: Callable[..., LiveHint], *fields: Any) -> None:
        if self._hints is not None and not self._hints.alone:
            self._hints.send(kind(*fields))

    async def _heard(self, hint: LiveHint) -> None:
        """A hint of another process."""
        if isinstance(hint, MarksHint | SummaryHint) and hint.focus != self.focus_id:
            await self.look()  # one of the two processes is behind, and the focus decides who hears
        match hint:
            case MarksHint():
                if not self._admit(hint.session, hint.marks):
                    await self.look()
            case SummaryHint():
                session = self.sessions.get(hint.session)
                if session is None or session.seq < hint.seq:
                    await self.look()
                    session = self.sessions.get(hint.session)
                if session is not None:
                    self._tell(self.replica.tell(session, [Summary(hint.seq, hint.counts)]))
            case JoinedHint():
                session = self.sessions.get(hint.session)
                if session is not None:
                    self.hub.publish(session, [Joined(hint.student, hint.name, hint.at)], NOBODY)
            case LookHint():
                await self.look()


#: This process's live sessions.
live = Live()
on_stopping(live.wind_up)


@receiver([session_changed, roster_changed, accounts_changed])
def look_again(**kwargs: Any) -> None:
    """The live server looks at the database at once, instead of within a second."""
    live.notice()
