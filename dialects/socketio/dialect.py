"""The base of a Socket.IO dialect: its table of events, its handshake, and its words for facts and failures."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from accounts.tokens import Claims
from attendance.live import events
from attendance.live.facts import Audience, Fact
from attendance.live.process import Live
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from attendance.live.wire import WireForm
from core import errors
from core.identity import Actor
from dialects.socketio.packets import ack_frame, event_frame


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a client introduces itself: its URL's query, its connection's `auth`, our port.

    `auth` is None without one, and UNREADABLE if it is no strict JSON.
    """

    query: Mapping[str, list[str]]
    auth: Any
    port: int


class Refused(Exception):
    """Raised for a connection that is refused; the client hears the message."""


class Dialect(ABC):
    """One dialect."""

    events: ClassVar[Mapping[str, events.Event]]
    error_event: ClassVar[str]

    @property
    def form(self) -> WireForm | None:
        """How a socket hears the facts that are for its user; None: it hears only the sessions that it follows."""
        return None

    @property
    def own_port(self) -> int | None:
        """The port on which nothing but this dialect is spoken; None if there is none."""
        return None

    @abstractmethod
    def is_meant(self, handshake: Handshake) -> bool:
        """Whether the client means to speak this dialect."""

    @abstractmethod
    def authenticate(self, handshake: Handshake) -> tuple[Actor, Claims]:
        """The person who connects, and the token's claims. Raises Refused. Runs in a thread: it reads the database."""

    def message_of(self, error: errors.ApiError, event: str | None) -> str:
        """The dialect's words for an error that answers `event`."""
        return error.message

    def error(self, message: str) -> str:
        """The frame that says an error's words."""
        return event_frame(self.error_event, {"message": message})

    def spell(self, session: LiveSession, fact: Fact) -> tuple[str, Any] | None:
        """The event for a fact, and its data; None if the dialect has none that is the same for all sockets."""
        return None


class Request(events.Request):
    """A client's event. If the client waits with a callback, the callback gets the answer as well."""

    protocol = "Socket.IO"

    def __init__(self, live: Live, socket: Socket, dialect: Dialect, ack_id: int | None) -> None:
        super().__init__(live, socket)
        self.dialect = dialect
        #: The event's name, once it is read.
        self.event: str | None = None
        self._ack_id = ack_id

    def answer(self, event: str, data: Any) -> None:
        self.live.hub.tell(self.socket, event_frame(event, data))
        self.acknowledge(data)

    def acknowledge(self, data: Any) -> None:
        """Calls the client's callback. The second call does nothing."""
        if self._ack_id is not None:
            self.live.hub.tell(self.socket, ack_frame(self._ack_id, data))
            self._ack_id = None

    def done(self, session: LiveSession, fact: Fact, audience: Audience) -> None:
        super().done(session, fact, audience)
        spelt = self.dialect.spell(session, fact)
        if spelt is not None:
            self.acknowledge(spelt[1])

    def refuse(self, error: errors.ApiError) -> None:
        message = self.dialect.message_of(error, self.event)
        self.answer(self.dialect.error_event, {"message": message})
