"""WebSockets in uvicorn: an ASGI application's, which may also write to the transport itself.

It is uvicorn's own protocol over `websockets` (`websockets_sansio_impl.py`), made small: an idle socket keeps what it
needs while it is idle. There each keeps two queues, three events, its handshake and a parser: 19 KB with the rest of a
socket, and here 8. The library's parser comes in once a client sends anything but whole, plain messages, pings and
pongs, or once the socket closes.

The transport is in `scope["extensions"][EXTENSION]`. An application may write finished frames to it instead of calling
the ASGI `send`, which costs a coroutine, an event and the framing for each frame and socket. Other servers have no such
extension.
"""

import asyncio
import functools
import logging
import secrets
import socket
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode, apply_mask  # type: ignore[attr-defined]  # the quickest that there is
from websockets.http11 import Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from core import logs
from core.asking import Asking
from core.server.handshakes import Header, Opening, rejection
from core.server.rounds import rounds_of

logger = logging.getLogger(__name__)
_errors = logging.getLogger("uvicorn.error")

Message = dict[str, Any]

EXTENSION = "attendance.transport"

#: A client has this long to answer a close, seconds.
CLOSE_TIMEOUT = 10.0
#: The first bytes of frames that are whole messages: text, and ping and pong.
_TEXT, _PING, _PONG = 0x81, 0x89, 0x8A
_LONGEST_CONTROL = 125
#: A payload of so many bytes has its length in the second byte of its frame.
_LONGEST_SHORT = 125


def text_frame(text: str) -> bytes:
    """A text message as the server sends it (RFC 6455, 5.2): not masked, so that its bytes suit every socket.

    The library takes eight times as long for the two bytes that stand before a short text.
    """
    data = text.encode()
    if len(data) <= _LONGEST_SHORT:
        return bytes((_TEXT, len(data))) + data
    return Frame(Opcode.TEXT, data).serialize(mask=False)


def nothing() -> None:
    """The callback that stands where no callback is set."""


class FrameTransport:
    """One open WebSocket, to which the application writes whole frames."""

    __slots__ = ("_protocol", "_socket", "changed")

    def __init__(self, protocol: "WebSocketProtocol") -> None:
        self._protocol = protocol
        #: A second socket object on the connection's descriptor, which belongs to uvicorn's transport.
        self._socket: socket.socket | None = None
        if not protocol.is_encrypted:  # what goes to `wss` must be encrypted by the transport
            theirs = protocol.transport.get_extra_info("socket")
            self._socket = socket.socket(theirs.family, theirs.type, theirs.proto, fileno=theirs.fileno())
            self._socket.setblocking(False)
        # With this limit the transport calls the protocol as soon as it queues bytes, and again when all are sent. One
        # that encrypts takes a limit as reached, not as passed: at 0 it would be full while it is empty.
        protocol.transport.set_write_buffer_limits(high=1 if protocol.is_encrypted else 0)
        #: Called when `connection` may have changed.
        self.changed: Callable[[], None] = nothing

    @property
    def connection(self) -> socket.socket | None:
        """What takes bytes at once, without the transport. It never blocks, and is closed once the connection ends.

        None while the transport has bytes queued, which must go first, and once the socket closes. At 1,000 sockets a
        frame costs the server a third less than through the transport.
        """
        if self._socket is None or self._protocol.is_paused or not self.is_open:
            return None
        return self._socket

    def end(self) -> None:
        """Lets go of the descriptor. The transport is about to close it, and another connection may get its number."""
        if self._socket is not None:
            self._socket.detach()  # whoever kept it has a socket that is closed
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
        await self._protocol.drained()

    def abort(self) -> None:
        """Ends the connection at once. Queued bytes are dropped."""
        self._protocol.transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether the socket still takes frames: it is neither closed nor closing, and its peer is not gone."""
        return self._protocol.is_open and not self._protocol.transport.is_closing()


#: What the extension of refusals says of itself, in the scope of every socket.
_NO_MORE: Message = {}


@functools.cache
def _asgi(version: str) -> Message:
    """What the scope of every socket says of ASGI: one object for all of them."""
    return {"version": version, "spec_version": "2.4"}


class WebSocketProtocol(asyncio.Protocol):
    """For uvicorn's `ws` option, with `core.server.http_protocol.HttpProtocol`, which opens it."""

    __slots__ = (
        *("_close_sent", "_close_timer", "_config", "_done", "_draining", "_fragments", "_frame_transport", "_loop"),
        *("_messages", "_opening", "_parser", "_ping", "_place", "_read_paused", "_refusal", "_scope", "_state"),
        *("_waiting", "is_encrypted", "is_paused", "transport"),
    )

    def __init__(self, config: Config, server_state: ServerState, loop: asyncio.AbstractEventLoop) -> None:
        self._config, self._state, self._loop = config, server_state, loop
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self.is_encrypted = False
        #: Whether the transport has bytes queued.
        self.is_paused = False
        #: Done once it has not any more; None if nobody waits for that.
        self._draining: asyncio.Future[None] | None = None
        self._scope: Message = {}
        #: What the application has not received yet; None for nothing.
        self._messages: list[Message] | None = None
        #: Done once there is something; None if the application does not wait.
        self._waiting: asyncio.Future[None] | None = None
        self._read_paused = False
        #: The handshake, until the application has answered it.
        self._opening: Opening | None = None
        #: Whether the handshake is answered, or never will be.
        self._done = False
        #: The status and headers of the application's answer that opens no WebSocket, and its body so far.
        self._refusal: tuple[int, Sequence[Header], bytes] | None = None
        self._frame_transport: FrameTransport | None = None
        #: The library's state of the connection, once it is more than open; None before.
        self._parser: ServerProtocol | None = None
        #: The fragments of the message that is being received, and whether it is text.
        self._fragments: tuple[bool, list[bytes]] | None = None
        self._close_sent = False
        self._close_timer: asyncio.TimerHandle | None = None
        #: The ping that the client has not answered yet.
        self._ping: bytes | None = None
        #: The place in the rounds of pings; None while there are no pings.
        self._place: int | None = None

    # What the HTTP protocol calls

    def open(
        self,
        transport: asyncio.Transport,
        opening: Opening,
        *,
        target: bytes,
        headers: list[Header],
        server: tuple[str, int | None] | None,
        client: tuple[str, int] | None,
        is_encrypted: bool,
        app_state: Message,
    ) -> None:
        """Lets the application answer a handshake. From now on it is this object that has the connection."""
        self.transport, self._opening, self.is_encrypted = transport, opening, is_encrypted
        if opening.extensions:
            self._become_parser().extensions = list(opening.extensions)
        path, _, query = target.partition(b"?")
        root = self._config.root_path
        self._frame_transport = FrameTransport(self)
        # What the connection still owes to requests before this one goes first; the transport tells when it is gone.
        self.is_paused = transport.get_write_buffer_size() > int(is_encrypted)
        self._scope = {
            "type": "websocket",
            "asgi": _asgi(self._config.asgi_version),
            "http_version": "1.1",
            "scheme": "wss" if is_encrypted else "ws",
            "server": server,
            "client": client,
            "root_path": root,
            "path": root + unquote(path.decode("ascii")),
            "raw_path": root.encode("ascii") + path,
            "query_string": query,
            "headers": headers,
            "subprotocols": [
                name.strip()
                for key, value in headers
                if key == b"sec-websocket-protocol"
                for name in value.decode("latin-1").split(",")
            ],
            "state": app_state.copy(),
            "extensions": {"websocket.http.response": _NO_MORE, EXTENSION: self._frame_transport},
        }
        self._state.connections.add(self)  # type: ignore[arg-type]
        self._put({"type": "websocket.connect"})
        task = self._loop.create_task(self._run())
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)

    # What the transport calls

    def connection_lost(self, exc: Exception | None) -> None:
        if self._frame_transport is not None:  # first of all: nobody must write to what may be another's soon
            self._frame_transport.end()
            self._frame_transport = None
            del self._scope["extensions"][EXTENSION]  # else a reference cycle waits for a full garbage collection
        self._ping_no_more()
        self._put({"type": "websocket.disconnect", "code": 1005 if self._done else 1006})
        self._state.connections.discard(self)
        self._done = True
        if self._close_timer is not None:
            self._close_timer.cancel()
            self._close_timer = None
        self.resume_writing()  # asyncio never calls it on a transport that is lost while paused
        if exc is None:
            self.transport.close()

    def pause_writing(self) -> None:
        self.is_paused = True
        self._connection_changed()

    def resume_writing(self) -> None:
        self.is_paused = False
        if self._draining is not None and not self._draining.done():
            self._draining.set_result(None)
        self._draining = None
        self._connection_changed()

    def eof_received(self) -> None:
        """The transport then closes."""

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            taken = self._take_whole(data)
            if taken == len(data):
                return
            data = data[taken:]
            self._become_parser()
        try:
            self._parse(data)
        except Exception as failure:
            # Some malformed frames make the library raise: text that is not UTF-8 before a close frame, say. That is
            # the client's fault, and asyncio would log a traceback for each.
            kind, by = type(failure).__name__, Asking(address=(self._scope.get("client") or ("",))[0])
            logs.event(logger, "frames_unreadable", "A client's frames cannot be read: %s.", kind, by=by)
            self._send_parsers()
            self.transport.close()
        if not self.is_open:
            self._connection_changed()

    # What uvicorn calls

    def shutdown(self) -> None:
        """The server stops."""
        self._ping_no_more()
        if self._close_sent:
            if self._close_timer is not None:
                self._close_timer.cancel()
                self._close_timer = None
        elif self._done:
            self._put({"type": "websocket.disconnect", "code": 1012})
            if self.is_open:
                self._become_parser().send_close(1012)
                self._send_parsers()
        else:
            self._fail()
        self.transport.close()
        self._connection_changed()

    # What the rounds call

    def turn(self) -> None:
        """Pings the client, or ends the connection of one that has not answered the last ping."""
        if self._close_sent or self.transport.is_closing():
            self._ping_no_more()
        elif self._ping is None:
            self._ping = secrets.token_bytes(4)
            self.transport.write(Frame(Opcode.PING, self._ping).serialize(mask=False))
        else:
            self._ping_no_more()
            self._become_parser().fail(1011, "keepalive ping timeout")
            self._send_parsers()
            self._close_sent = True
            self.transport.close()
            self._connection_changed()

    # What the frame transport asks

    @property
    def is_open(self) -> bool:
        """Whether no close was sent or received."""
        return self._parser is None or self._parser.state is State.OPEN

    async def drained(self) -> None:
        """Returns once the transport has nothing queued, or the peer is gone."""
        while self.is_paused:
            if self._draining is None:
                self._draining = self._loop.create_future()
            await asyncio.shield(self._draining)

    # What the application calls

    async def receive(self) -> Message:
        """ASGI's."""
        while not self._messages:
            if self._waiting is None:
                self._waiting = self._loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        message = self._messages.pop(0)
        if not self._messages:
            self._messages = None
            if self._read_paused:
                self._read_paused = False
                self.transport.resume_reading()
        return message

    async def send(self, message: Message) -> None:
        """ASGI's."""
        if self.is_paused:
            await self.drained()
        if self._frame_transport is None:
            raise ClientDisconnected
        kind = message["type"]
        if self._refusal is not None and kind == "websocket.http.response.body":
            self._refuse_with(message["body"], is_last=not message.get("more_body", False))
        elif self._done:
            self._send_open(kind, message)
        elif kind == "websocket.accept":
            self._accept(message)
        elif kind == "websocket.close":
            self._end_unopened(rejection(HTTPStatus.FORBIDDEN))
        elif kind == "websocket.http.response.start" and self._refusal is None:
            self._refusal = message["status"], list(message.get("headers", ())), b""
        else:
            raise RuntimeError(f"Unexpected ASGI message '{kind}' before the handshake was answered.")

    async def _run(self) -> None:
        try:
            await self._config.loaded_app(self._scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            _errors.exception("Exception in ASGI application\n")
            self._fail()
        else:
            if not self._done:
                _errors.error("ASGI callable returned without completing handshake.")
                self._fail()
        if self._close_timer is None:
            self.transport.close()

    # The handshake's answer

    def _accept(self, message: Message) -> None:
        opening, self._opening, self._done = self._opening, None, True
        # The headers are for the handshake, and they would be a third of what the socket keeps.
        self._scope["headers"].clear()
        if opening is None or self.transport.is_closing():
            return
        lines = [b"HTTP/1.1 101 Switching Protocols\r\n", opening.answer]
        for name, value in (*self._state.default_headers, *message.get("headers", ())):
            lines += [name.lower(), b": ", value, b"\r\n"]
        if subprotocol := message.get("subprotocol"):
            lines += [b"Sec-WebSocket-Protocol: ", subprotocol.encode("latin-1"), b"\r\n"]
        self.transport.write(b"".join([*lines, b"\r\n"]))
        if self._config.ws_ping_interval:
            self._place = rounds_of(self._loop, self._config.ws_ping_interval).add(self)

    def _refuse_with(self, body: bytes, *, is_last: bool) -> None:
        assert self._refusal is not None  # noqa: S101  the caller has looked
        status, headers, before = self._refusal
        self._refusal = status, headers, before + body
        if is_last:
            fields = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers])
            for name, value in self._state.default_headers:
                fields.setdefault(name.decode("latin-1"), value.decode("latin-1"))
            fields.setdefault("Connection", "close")
            fields.setdefault("Content-Length", str(len(before + body)))
            fields.setdefault("Content-Type", "text/plain; charset=utf-8")
            self._end_unopened(Response(status, HTTPStatus(status).phrase, fields, before + body).serialize())

    def _end_unopened(self, answer: bytes) -> None:
        self._put({"type": "websocket.disconnect", "code": 1006})
        self._done = self._close_sent = True
        self.transport.write(answer)
        self.transport.close()

    def _fail(self) -> None:
        if not self._done and self._refusal is None:
            self.transport.write(rejection(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error"))

    # Frames out

    def _send_open(self, kind: str, message: Message) -> None:
        if self._close_sent:
            raise RuntimeError(f"Unexpected ASGI message '{kind}' after the close.")
        if kind == "websocket.send":
            self._send_message(message)
        elif kind == "websocket.close":
            self._send_close(message.get("code", 1000), message.get("reason", "") or "")
        else:
            raise RuntimeError(f"Unexpected ASGI message '{kind}' on an open WebSocket.")

    def _send_message(self, message: Message) -> None:
        content, opcode = message.get("bytes"), Opcode.BINARY
        if content is None:
            content, opcode = message["text"].encode(), Opcode.TEXT
        if not self.is_open:
            raise ClientDisconnected
        extensions = self._parser.extensions if self._parser is not None else ()
        self.transport.write(Frame(opcode, content).serialize(mask=False, extensions=extensions))

    def _send_close(self, code: int, reason: str) -> None:
        if self.transport.is_closing():
            return
        self._put({"type": "websocket.disconnect", "code": code, "reason": reason})
        try:
            self._become_parser().send_close(code, reason)
        except InvalidState:
            raise ClientDisconnected from None
        self._send_parsers()
        self._close_sent = True
        if self._read_paused:
            self._read_paused = False
            self.transport.resume_reading()
        self._close_timer = self._loop.call_later(CLOSE_TIMEOUT, self.transport.close)

    def _send_parsers(self) -> None:
        """Sends what the library has to say; nothing before the handshake is answered."""
        if self._parser is not None:
            said = b"".join(self._parser.data_to_send())
            if self._done and said:
                self.transport.write(said)

    # Frames in

    def _become_parser(self) -> ServerProtocol:
        """The library's state of the connection, from now on."""
        if self._parser is None:
            self._parser = ServerProtocol(state=State.OPEN, max_size=self._config.ws_max_size, logger=_errors)
        return self._parser

    def _take_whole(self, data: bytes) -> int:
        """Takes the whole texts, pings and pongs that `data` begins with; how many bytes they were.

        What is anything else, or has any mistake, is left for the library.
        """
        at, end, most = 0, len(data), self._config.ws_max_size
        while end - at >= 6 and data[at] in (_TEXT, _PING, _PONG) and data[at + 1] & 0x80:
            kind, size, start = data[at], data[at + 1] & 0x7F, at + 6
            if size > _LONGEST_CONTROL:
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 8
                if kind != _TEXT or data[at + 1] == 0xFF or size <= _LONGEST_CONTROL:
                    break
            if size > most or start + size > end:
                break
            content = apply_mask(data[start : start + size], data[start - 4 : start])
            if kind == _TEXT:
                try:
                    text = content.decode()
                except UnicodeDecodeError:
                    break
                self._deliver({"type": "websocket.receive", "text": text})
            elif kind == _PONG:
                self._take_pong(content)
            elif self._done:
                self.transport.write(Frame(Opcode.PONG, content).serialize(mask=False))
            at = start + size
        return at

    def _parse(self, data: bytes) -> None:
        parser = self._become_parser()
        parser.receive_data(data)
        for event in parser.events_received():
            if isinstance(event, Frame):
                self._take(event)
        if parser.parser_exc is not None:
            self._end_malformed()

    def _take(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY | Opcode.CONT:
                is_text, fragments = self._fragments or (frame.opcode is Opcode.TEXT, [])
                fragments.append(bytes(frame.data))
                self._fragments = None if frame.fin else (is_text, fragments)
                if frame.fin:
                    self._take_message(is_text, b"".join(fragments))
            case Opcode.PING:
                self._send_parsers()
            case Opcode.PONG:
                self._take_pong(bytes(frame.data))
            case Opcode.CLOSE:
                self._take_close()

    def _take_message(self, is_text: bool, content: bytes) -> None:
        if self._close_sent:
            return  # the application has closed; what comes before the client's close is dropped
        if not is_text:
            self._deliver({"type": "websocket.receive", "bytes": content})
            return
        try:
            text = content.decode()
        except UnicodeDecodeError:
            self._become_parser().send_close(1007)
            self._end_malformed()
            return
        self._deliver({"type": "websocket.receive", "text": text})

    def _take_pong(self, content: bytes) -> None:
        if content == self._ping:
            self._ping = None

    def _take_close(self) -> None:
        if self._close_sent:
            if self._close_timer is not None:  # the client has answered the close
                self._close_timer.cancel()
                self._close_timer = None
                self.transport.close()
        elif not self.transport.is_closing():
            received = self._become_parser().close_rcvd
            assert received is not None  # noqa: S101  a close was received
            self._put({"type": "websocket.disconnect", "code": received.code, "reason": received.reason})
            self._send_parsers()
            self.transport.close()

    def _end_malformed(self) -> None:
        sent = self._become_parser().close_sent
        code, reason = (sent.code, sent.reason) if sent is not None else (1006, "")
        self._put({"type": "websocket.disconnect", "code": code, "reason": reason})
        self._send_parsers()
        self._close_sent = True
        self.transport.close()

    # What the application receives

    def _deliver(self, message: Message) -> None:
        """A client's message. Nothing more is read until the application has received it."""
        self._put(message)
        if not self._read_paused:
            self._read_paused = True
            self.transport.pause_reading()

    def _put(self, message: Message) -> None:
        if self._messages is None:
            self._messages = []
        self._messages.append(message)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _ping_no_more(self) -> None:
        if self._place is not None and self._config.ws_ping_interval:
            rounds_of(self._loop, self._config.ws_ping_interval).remove(self, self._place)
            self._place = None

    def _connection_changed(self) -> None:
        if self._frame_transport is not None:
            self._frame_transport.changed()
