"""uvicorn's WebSocket protocol, which also gives its transport to the application.

The transport is in `scope["extensions"][EXTENSION]`. An application may write finished frames to it instead of calling
the ASGI `send`, which costs a coroutine, an event and the framing for each frame and socket. Other servers have no such
extension.
"""

import logging
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidHeaderValue
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from core import logs
from core.asking import Asking

logger = logging.getLogger(__name__)

EXTENSION = "attendance.transport"

_VERSION = "Sec-WebSocket-Version"
_UPGRADE = HTTPStatus.UPGRADE_REQUIRED


def text_frame(text: str) -> bytes:
    """A text message as the server sends it (RFC 6455, 5.2): not masked, so that its bytes suit every socket."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def nothing() -> None:
    """The callback that stands where no callback is set."""


class FrameTransport:
    """One open WebSocket, to which the application writes whole frames."""

    __slots__ = ("_protocol", "_socket", "changed")

    def __init__(self, protocol: "WebSocketProtocol") -> None:
        self._protocol = protocol
        #: A second socket object on the connection's descriptor, which belongs to uvicorn's transport.
        self._socket: socket.socket | None = None
        if protocol.scheme == "ws":  # what goes to `wss` must be encrypted by the transport
            theirs = protocol.transport.get_extra_info("socket")
            self._socket = socket.socket(theirs.family, theirs.type, theirs.proto, fileno=theirs.fileno())
            self._socket.setblocking(False)
        # With this limit the transport calls the protocol as soon as it queues bytes, and again when all are sent.
        protocol.transport.set_write_buffer_limits(high=0)
        #: Called when `writer` may have changed.
        self.changed: Callable[[], None] = nothing

    @property
    def writer(self) -> Callable[[bytes], int] | None:
        """A function that sends bytes at once, without the transport, and returns how many the kernel took.

        The function raises BlockingIOError if the kernel takes none, and another OSError on a broken connection.
        The property is None while the transport has bytes queued, which must go first, and once the socket closes.
        At 1,000 sockets a frame costs the server a third less than through the transport.
        """
        if self._socket is None or not self._protocol.writable.is_set() or not self.is_open:
            return None
        return self._socket.send

    def end(self) -> None:
        """Lets go of the descriptor. The transport is about to close it, and another connection may get its number."""
        if self._socket is not None:
            self._socket.detach()  # a `writer` that was read before now raises an OSError
            self._socket = None
        self.changed()
        self.changed = nothing

    def write(self, frames: bytes) -> None:
        """Queues whole frames, or the rest of a frame. Does nothing once the socket is closed or closing."""
        if self.is_open:
            self._protocol.transport.write(frames)

    @property
    def unsent(self) -> int:
        """The bytes that the transport has queued. What the kernel has in its buffer is not counted."""
        return self._protocol.transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Returns once the transport has nothing queued, or the peer is gone."""
        await self._protocol.writable.wait()

    def abort(self) -> None:
        """Ends the connection at once. Queued bytes are dropped."""
        self._protocol.transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether the socket still takes frames: it is neither closed nor closing, and its peer is not gone."""
        protocol = self._protocol
        return protocol.conn.state in (State.CONNECTING, State.OPEN) and not protocol.transport.is_closing()


class _Handshakes(ServerProtocol):
    """websockets' side of a connection, which also says which version of the protocol it speaks (RFC 6455, 4.4)."""

    def accept(self, request: Request) -> Response:
        response = super().accept(request)
        failure = self.handshake_exc
        if isinstance(failure, InvalidHeaderValue) and failure.name == _VERSION:
            response.status_code, response.reason_phrase = _UPGRADE.value, _UPGRADE.phrase
            response.headers[_VERSION] = "13"
            response.headers["Upgrade"] = "websocket"
        return response


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """For uvicorn's `ws` option."""

    frame_transport: FrameTransport | None = None

    def __init__(self, config: Config, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        made = self.conn
        extensions = made.available_extensions
        self.conn = _Handshakes(extensions=extensions, max_size=config.ws_max_size, logger=made.logger)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]  # the application's task has not begun yet
            extensions[EXTENSION] = self.frame_transport = FrameTransport(self)

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # else uvicorn logs that the application has not answered the handshake

    def pause_writing(self) -> None:
        super().pause_writing()
        self._writer_changed()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._writer_changed()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.frame_transport is not None:
            self.frame_transport.end()
            self.frame_transport = None
            del self.scope["extensions"][EXTENSION]  # else a reference cycle waits for a full garbage collection
        super().connection_lost(exc)

    # A WebSocket that closes has no `writer`. The application's own close needs no call: the application knows.

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception as failure:
            # Some malformed frames in some states make uvicorn call websockets in a way that raises: text that is not
            # UTF-8 before a close frame, or a bad frame before the handshake is answered. That is the client's fault,
            # and asyncio would log a traceback for each.
            kind, by = type(failure).__name__, Asking(address=self.client[0] if self.client else "")
            logs.event(logger, "frames_unreadable", "A client's frames cannot be read: %s.", kind, by=by)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()
        if self.conn.state in (State.CLOSING, State.CLOSED):
            self._writer_changed()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._writer_changed()

    def shutdown(self) -> None:
        super().shutdown()
        self._writer_changed()

    def _writer_changed(self) -> None:
        if self.frame_transport is not None:
            self.frame_transport.changed()
