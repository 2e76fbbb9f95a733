"""uvicorn's WebSocket protocol, which besides hands its transport to the application.

An application that finds `scope["extensions"][EXTENSION]` may write finished frames itself, past the ASGI `send`: no
coroutine, no event, no framing for each frame and socket. Under any other server the extension is not there.
"""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

EXTENSION = "attendance.transport"


def text_frame(text: str) -> bytes:
    """A text message as the server sends it (RFC 6455, 5.2): not masked, so the same bytes serve every socket."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class FrameTransport:
    """One open WebSocket, as the application writes to it."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: WebSocketsSansIOProtocol) -> None:
        self._protocol = protocol

    def write(self, frames: bytes) -> None:
        """Queues whole frames; does nothing once the socket is closed or closing."""
        protocol = self._protocol
        if protocol.conn.state is State.OPEN and not protocol.transport.is_closing():
            protocol.transport.write(frames)

    @property
    def unsent(self) -> int:
        """How much the peer has not taken yet, bytes, the kernel's buffer aside."""
        return self._protocol.transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Returns once the peer has taken nearly all, or is gone."""
        await self._protocol.writable.wait()

    def abort(self) -> None:
        """Ends the connection at once; what is unsent is dropped."""
        self._protocol.transport.abort()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """For uvicorn's `ws` option."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]  # the application's task has not begun yet
            extensions[EXTENSION] = FrameTransport(self)
