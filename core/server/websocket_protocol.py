"""uvicorn's WebSocket protocol, which besides hands its transport to the application.

An application that finds `scope["extensions"][EXTENSION]` may write finished frames itself, past the ASGI `send`: no
coroutine, no event, no framing for each frame and socket. Under any other server the extension is not there.
"""

import socket
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

EXTENSION = "attendance.transport"


def text_frame(text: str) -> bytes:
    """A text message as the server sends it (RFC 6455, 5.2): not masked, so the same bytes serve every socket."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def nothing() -> None:
    """A callback that nobody has set, or that nobody needs any more."""


class FrameTransport:
    """One open WebSocket, as the application writes to it."""

    __slots__ = ("_protocol", "_socket", "changed")

    def __init__(self, protocol: "WebSocketProtocol") -> None:
        self._protocol = protocol
        #: The connection's descriptor as a socket of our own; it is the server's transport that closes it.
        self._socket: socket.socket | None = None
        if protocol.scheme == "ws":  # else the transport must encrypt what is sent
            theirs = protocol.transport.get_extra_info("socket")
            self._socket = socket.socket(theirs.family, theirs.type, theirs.proto, fileno=theirs.fileno())
            self._socket.setblocking(False)
        # Now the protocol hears when the transport begins to queue, and when it has nothing more.
        protocol.transport.set_write_buffer_limits(high=0)
        #: Called when `writer` may have become another.
        self.changed: Callable[[], None] = nothing

    @property
    def writer(self) -> Callable[[bytes], int] | None:
        """Sends bytes at once, past the transport, and says how many the kernel took.

        Raises BlockingIOError for none, another OSError if the connection is broken. None while the transport has
        something queued, which comes first, and once the socket closes. At 1,000 sockets a frame costs the server a
        third less so than through the transport.
        """
        if self._socket is None or not self._protocol.writable.is_set() or not self._is_open():
            return None
        return self._socket.send

    def end(self) -> None:
        """The connection is about to be closed, and its descriptor to become another's."""
        if self._socket is not None:
            self._socket.detach()  # whoever still has its `send` gets an OSError
            self._socket = None
        self.changed()
        self.changed = nothing

    def write(self, frames: bytes) -> None:
        """Queues whole frames, or the rest of one; does nothing once the socket is closed or closing."""
        if self._is_open():
            self._protocol.transport.write(frames)

    @property
    def unsent(self) -> int:
        """How much the peer has not taken yet, bytes, the kernel's buffer aside."""
        return self._protocol.transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Returns once the peer has taken all, or is gone."""
        await self._protocol.writable.wait()

    def abort(self) -> None:
        """Ends the connection at once; what is unsent is dropped."""
        self._protocol.transport.abort()

    def _is_open(self) -> bool:
        protocol = self._protocol
        return protocol.conn.state in (State.CONNECTING, State.OPEN) and not protocol.transport.is_closing()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """For uvicorn's `ws` option."""

    frame_transport: FrameTransport | None = None

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]  # the application's task has not begun yet
            extensions[EXTENSION] = self.frame_transport = FrameTransport(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.frame_transport is not None:
            self.frame_transport.end()
            self.frame_transport = None
            del self.scope["extensions"][EXTENSION]  # a cycle, which would wait for the garbage collector
        super().connection_lost(exc)

    # The other ways in which a WebSocket ends but for the application's own close

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.state in (State.CLOSING, State.CLOSED):
            self._look()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._look()

    def shutdown(self) -> None:
        super().shutdown()
        self._look()

    def _look(self) -> None:
        if self.frame_transport is not None:
            self.frame_transport.changed()
