"""What this process knows of the open sessions. Rules only: views and marks in, news out, no I/O.

Everything new arrives in one of two ways: as the marks of a commit, made here or elsewhere (`admit`), or as the view of
a look at the database (`take`). Both end at the same gate (`LiveSession.admit`), which takes each mark once, in order.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from attendance.check_in import CheckInView
from attendance.enums import SessionState
from attendance.live.directory import Directory
from attendance.live.facts import EVERYBODY, NOBODY, Audience, Ended, Fact, Marked
from attendance.live.session import LiveSession
from attendance.live.view import RECENT, Known, Row, SessionView, View
from core.identity import Actor

#: A finished session is remembered for so long, seconds. Whatever still arrives of it is no news.
MEMORY = 10 * RECENT.total_seconds()


@dataclass(frozen=True, slots=True)
class News:
    """What is new of a session: to be told before anything else is asked of the replica."""

    session: LiveSession
    facts: Sequence[Fact] = ()
    #: Who is to be told the facts.
    audience: Audience = NOBODY
    #: Whether the session has another roster now.
    roster_changed: bool = False
    #: Whether the session is over or gone: nothing comes of it any more.
    is_over: bool = False
    #: Whether the session has just been opened, or opened again after its end.
    is_opened: bool = False
    #: What the session's check-in was before, where it has changed.
    check_in_before: CheckInView | None = None


@dataclass(frozen=True, slots=True)
class _Finished:
    at: float
    #: Who was told the session's last facts.
    audience: Audience
    #: How often the session had been opened by then.
    openings: int


class Replica:
    """The open sessions, folded from the journal, and the focus."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.sessions = Directory()
        self.focus_id: str | None = None
        self._focus_number = 0
        #: Whether the replica has taken a view.
        self.is_loaded = False
        #: What the last view had, by session.
        self._rows: Mapping[str, Row] = {}
        #: The sessions that finished not long ago, the first to finish first.
        self._finished: dict[str, _Finished] = {}
        #: Who was told the last facts of each open session.
        self._audiences: dict[str, Audience] = {}
        #: The open sessions that clients named, by those names.
        self._named: dict[str, str] = {}

    # What is asked of it

    @property
    def finished(self) -> dict[str, int]:
        """The sessions of which nothing new can come, unless they are opened more often than this."""
        return {key: finished.openings for key, finished in self._finished.items()}

    def known(self) -> dict[str, Known]:
        """How much the replica has of each open session."""
        return {
            key: Known(session.seq, session.roster_version, self._rows.get(key))
            for key, session in self.sessions.items()
        }

    def session_for(self, actor: Actor, class_id: str | None = None) -> LiveSession | None:
        """The session that is active for `actor`.

        One at a time: the focus, if it concerns the actor. One a class: of the sessions that concern the actor the one
        of `class_id`, or the one that started last.
        """
        if settings.LIVE_SESSIONS == "single":
            focus = self.sessions.get(self.focus_id or "")
            return focus if focus is not None and focus.concerns(actor) else None
        mine = self.sessions.concerning(actor)
        if class_id is not None:
            mine = [session for session in mine if session.class_id == class_id]
        return max(mine, key=lambda session: (session.started_at, session.id), default=None)

    def find(self, reference: str, key: str | None) -> LiveSession | None:
        """The open session that a client's `reference` names; `key` is the id that the reference spells, if any."""
        found = self.sessions.get(self._named.get(reference, key or ""))
        return found if found is not None else self.sessions.of_class(key or "")

    def name(self, session: LiveSession, name: str) -> None:
        """Clients call the session `name`."""
        self._named[name] = session.id

    def audience_of(self, session: LiveSession) -> Audience:
        """Who is told of `session` now, besides its followers."""
        if settings.LIVE_SESSIONS == "single":
            return EVERYBODY if session.id == self.focus_id else NOBODY
        return session.people

    def last_audience(self, session_id: str) -> Audience:
        """Who was told the last facts of a session. The focus may have moved since."""
        finished = self._finished.get(session_id)
        return finished.audience if finished is not None else self._audiences.get(session_id, NOBODY)

    # What is new

    def tell(self, session: LiveSession, facts: Sequence[Fact]) -> News:
        """Facts of an open session as news."""
        audience = self.audience_of(session)
        if facts and session.id in self.sessions:
            self._audiences[session.id] = audience
        return News(session, facts, audience)

    def admit(self, session_id: str, marks: Sequence[Marked]) -> list[News] | None:
        """Takes the marks of a commit, in order.

        None, and nothing is taken, if earlier marks or the session itself are missing: then the database must be
        looked at.
        """
        session = self.sessions.get(session_id)
        if session is None:
            return [] if session_id in self._finished else None
        new = session.admit(marks)
        return [self.tell(session, new)] if new is not None else None

    def take(self, view: View) -> Iterator[News]:
        """Brings the replica up to `view`, session by session. Each session's news is told before the next is taken."""
        # The focus may have moved several times since the last look. Each session that it moved to is told under
        # it, in the order of the moves; the others happened under the focus that this process knows.
        moves = [session for session in view.sessions if session.focus_number > self._focus_number]
        for session in view.sessions:
            if session not in moves:
                yield from self._take_session(session)
        for session in sorted(moves, key=lambda session: session.focus_number):
            self.focus_id, self._focus_number = session.id, session.focus_number
            yield from self._take_session(session)
        self.focus_id = view.focus_id
        for deleted in [session for key, session in self.sessions.items() if key not in view.rows]:
            self._finish(deleted.id, deleted.openings)
            yield News(deleted, is_over=True)
        self._rows = view.rows
        self.is_loaded = True

    def _take_session(self, view: SessionView) -> Iterator[News]:
        finished = self._finished.get(view.id)
        if finished is not None and view.openings <= finished.openings:
            return  # the session ended while the look was under way
        session, is_opened = self.sessions.get(view.id), False
        is_again = session is None and view.openings > 1
        if session is None:
            if view.state is not SessionState.OPEN and not self.is_loaded:
                self._finish(view.id, view.openings)  # over before this process began: nobody here has heard of it
                return
            session = LiveSession(view.id, view.class_id, view.teacher_id, view.started_at, openings=view.openings)
            is_opened = self.is_loaded
            self._finished.pop(view.id, None)
        is_opened = is_opened or session.openings != view.openings
        session.openings = view.openings
        roster_changed = self._take_people(session, view)
        check_in_before = None
        if view.check_in is not None:
            check_in_before, session.check_in = session.check_in, view.check_in
        marks = session.admit(view.marks) or []
        facts: list[Fact] = [] if is_again else [*marks]  # before its end, a session's marks were told
        if view.state is SessionState.ENDED and view.sheet is not None:
            session.ended = Ended(session.seq, view.counts, view.sheet)
            facts.append(session.ended)
        told = self.tell(session, facts)
        is_over = view.state is not SessionState.OPEN
        yield News(session, facts, told.audience, roster_changed, is_over, is_opened and not is_over, check_in_before)
        if is_over:
            # Not before the end is told: a look whose telling fails is made good by the next.
            self._finish(view.id, view.openings)

    def _take_people(self, session: LiveSession, view: SessionView) -> bool:
        """Brings names, roster and teachers of a session up to `view`; whether the view has a new roster."""
        session.class_name, session.teacher_name = view.class_name, view.teacher_name
        roster, is_new = session.roster, view.roster is not None and view.roster_version > session.roster_version
        if view.roster is not None and is_new:
            roster, session.roster_version = frozenset(view.roster), view.roster_version
            others = {key: name for key, name in session.names.items() if key not in view.roster}
            session.names = view.roster | others | view.other_names
        co_teachers = view.co_teachers if is_new else session.co_teachers
        people = view.teacher_id, roster, co_teachers
        if session.id not in self.sessions or people != (session.teacher_id, session.roster, session.co_teachers):
            session.belong_to(*people)
            self.sessions.add(session)
        return is_new

    def _finish(self, session_id: str, openings: int) -> None:
        self.sessions.remove(session_id)
        self._named = {name: named for name, named in self._named.items() if named != session_id}
        moment = self._clock()
        self._finished[session_id] = _Finished(moment, self._audiences.pop(session_id, NOBODY), openings)
        while self._finished and next(iter(self._finished.values())).at < moment - MEMORY:
            self._finished.pop(next(iter(self._finished)))
