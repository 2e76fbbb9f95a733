"""The open sessions that a process knows. Many sessions are found as fast as a few: by id, by class, by person."""

from collections.abc import Iterable, Iterator, Mapping

from attendance.live.session import LiveSession
from core.identity import Actor


class Directory(Mapping[str, LiveSession]):
    """Sessions by id, in the order in which they were added. Rules only, no I/O."""

    def __init__(self) -> None:
        self._sessions: dict[str, LiveSession] = {}
        #: The session of each class that was added last.
        self._of_class: dict[str, LiveSession] = {}
        #: The sessions of each person who teaches or is enrolled in one of their classes.
        self._of_person: dict[str, tuple[LiveSession, ...]] = {}
        #: The people under whom each session was added.
        self._people: dict[str, frozenset[str]] = {}

    def __getitem__(self, session_id: str) -> LiveSession:
        return self._sessions[session_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)

    def of_class(self, class_id: str) -> LiveSession | None:
        """The open session of a class."""
        return self._of_class.get(class_id)

    def concerning(self, actor: Actor) -> list[LiveSession]:
        """The open sessions of classes that `actor` teaches or is enrolled in."""
        return [session for session in self._of_person.get(actor.id, ()) if session.concerns(actor)]

    def add(self, session: LiveSession) -> None:
        """Adds a session, or adds it anew after its teacher or its roster has changed."""
        if session.id not in self._sessions:
            self._sessions[session.id] = self._of_class[session.class_id] = session
        before = self._people.get(session.id, frozenset())
        self._people[session.id] = session.people
        self._leave(session, before - session.people)
        for person_id in session.people - before:
            self._of_person[person_id] = (*self._of_person.get(person_id, ()), session)

    def remove(self, session_id: str) -> None:
        """Forgets a session. Does nothing if the session is not known."""
        session = self._sessions.pop(session_id, None)
        if session is None:
            return
        if self._of_class[session.class_id] is session:
            del self._of_class[session.class_id]
        self._leave(session, self._people.pop(session_id))

    def _leave(self, session: LiveSession, people: Iterable[str]) -> None:
        for person_id in people:
            others = tuple(other for other in self._of_person[person_id] if other is not session)
            if others:
                self._of_person[person_id] = others
            else:
                del self._of_person[person_id]
