"""The Socket.IO server: it connects clients to the events' tables and to the hub.

python-socketio speaks the protocol. Its rooms and its `emit` are not used, because it makes a task for each recipient;
the hub encodes a frame once for all sockets that hear it.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import socketio
from django.conf import settings
from engineio.payload import Payload
from socketio import exceptions

from attendance.live import events
from attendance.live.process import live
from attendance.live.refusals import socket_refused
from attendance.live.socket import Socket
from core import errors, limits
from core.server.doors import network_of_scope, openings, turn_away
from core.server.shutdown import on_stopping
from dialects.socketio import transport
from dialects.socketio.dialect import Dialect, Handshake, Refused, Request
from dialects.socketio.handshakes import Handshakes
from dialects.socketio.outlet import EngineOutlet, cut
from dialects.socketio.packets import CLIENT_EVENT, ClientEvent, Packet

logger = logging.getLogger(__name__)

#: The time in which a client must send its CONNECT, seconds; then it is disconnected.
CONNECT_TIMEOUT = 45.0
NAMESPACE = "/"

# A poll's body is limited by its size. The library's own limit of 16 packets of any size refuses a short burst.
Payload.max_decode_packets = settings.MAX_MESSAGE_SIZE


class _Server(socketio.AsyncServer):  # type: ignore[misc]
    """The library's server over the guarded Engine.IO. It disconnects a client that never sends a CONNECT."""

    handshakes: Handshakes

    def _engineio_server_class(self) -> type[transport.EngineServer]:
        return transport.EngineServer

    async def _handle_eio_connect(self, eio_sid: str, environ: Any) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self.handshakes.begin(eio_sid, network_of_scope(environ["asgi.scope"]))
        asyncio.get_running_loop().call_later(CONNECT_TIMEOUT, self._expect_somebody, eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: Any) -> None:
        self.handshakes.end(eio_sid)
        await super()._handle_eio_disconnect(eio_sid, reason)

    def _expect_somebody(self, eio_sid: str) -> None:
        if eio_sid in self.environ and self.manager.sid_from_eio_sid(eio_sid, NAMESPACE) is None:
            self.start_background_task(self.eio.disconnect, eio_sid)


@dataclass(frozen=True, slots=True)
class _Client:
    socket: Socket
    dialect: Dialect
    outlet: EngineOutlet


class SocketIo:
    """The ASGI application for /socket.io. A connection speaks the first of the `dialects` that it is meant for."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self.dialects = list(dialects)
        self.server = _Server(
            async_mode="asgi",
            serializer=Packet,
            # A client's events are done one after another; no client waits for another client's events.
            async_handlers=False,
            max_http_buffer_size=settings.MAX_MESSAGE_SIZE,
            http_compression=False,
            cors_allowed_origins="*",  # `core.origins` has decided already
            cors_credentials=False,
            logger=logging.getLogger("socketio"),
            engineio_logger=logging.getLogger("engineio"),
        )
        self.handshakes = self.server.handshakes = Handshakes()
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.server.on(CLIENT_EVENT, self._event)
        self._clients: dict[str, _Client] = {}
        on_stopping(self._stop)

    @property
    def own_ports(self) -> set[int]:
        """The ports on which nothing but one dialect is spoken."""
        return {dialect.own_port for dialect in self.dialects if dialect.own_port is not None}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_websocket = scope["type"] == "websocket"
        if not transport.sid_of(scope.get("query_string", b"")):
            network = network_of_scope(scope)
            if limit := self.handshakes.reached(network):
                await turn_away(limit, scope, receive, send)
                return
            # A WebSocket has passed the door, where openings are counted.
            if not is_websocket and (wait := openings.take(network)):
                await turn_away(limits.OPENINGS_AT_ADDRESS, scope, receive, send, wait)
                return
        if is_websocket:
            await transport.serve_websocket(self.server.eio, scope, receive, send)
        else:
            await transport.serve_polling(self.server.eio, scope, receive, send)

    def _dialect_of(self, handshake: Handshake) -> Dialect | None:
        if handshake.port in self.own_ports:
            return next(dialect for dialect in self.dialects if dialect.own_port == handshake.port)
        return next((dialect for dialect in self.dialects if dialect.is_meant(handshake)), None)

    async def _connect(self, sid: str, environ: Any, data: Any) -> None:
        scope = environ["asgi.scope"]
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        handshake = Handshake(query, data["auth"], (scope.get("server") or ("", 0))[1])
        dialect = self._dialect_of(handshake)
        if dialect is None:
            raise exceptions.ConnectionRefusedError(errors.SocketUnauthorized.message)
        engine = self.server.eio.sockets[self.server.manager.eio_sid_from_sid(sid, NAMESPACE)]
        if transport.PIPE in scope:
            engine.queue.pipe = scope[transport.PIPE]
        outlet = EngineOutlet(engine)
        try:
            socket = await live.welcome(
                lambda: dialect.authenticate(handshake), outlet=outlet, form=dialect.form, error=dialect.error
            )
        except Refused as refusal:
            socket_refused(str(refusal))
            raise exceptions.ConnectionRefusedError(str(refusal)) from None
        except errors.TooManyRequests as refusal:
            raise exceptions.ConnectionRefusedError(dialect.message_of(refusal, None)) from None
        except Exception:
            logger.exception("A Socket.IO connection could not be opened.")
            raise exceptions.ConnectionRefusedError(errors.InternalError.message) from None
        self._clients[sid] = _Client(socket, dialect, outlet)
        self.handshakes.connected(engine.sid)
        # When this returns, the library queues the client's CONNECT before anything else in the loop runs.
        asyncio.get_running_loop().call_soon(self._connected, sid, engine)

    def _connected(self, sid: str, engine: Any) -> None:
        if engine.closed:
            self._disconnect(sid)  # the client left while it was let in; the library does not tell that
        elif sid in self._clients:
            self._clients[sid].outlet.open()

    def _disconnect(self, sid: str, *reason: Any) -> None:
        client = self._clients.pop(sid, None)
        if client is not None:
            client.outlet.stop()
            live.leave(client.socket)

    async def _event(self, sid: str, event: ClientEvent) -> None:
        client = self._clients.get(sid)
        if client is not None and not client.socket.closing and not live.stopping:
            request = Request(live, client.socket, client.dialect, event.ack_id)
            await events.serve(request, self._perform(client.dialect, request, event))

    async def _perform(self, dialect: Dialect, request: Request, event: ClientEvent) -> None:
        name, payload = event.read()
        request.event = name
        await events.perform(request, dialect.events, name, payload)

    async def _stop(self) -> None:
        """Disconnects the clients that poll: the server would wait for their polls. WebSockets it closes by itself."""
        polling = [engine for engine in self.server.eio.sockets.values() if not engine.upgraded]
        await asyncio.gather(*map(cut, polling))
