"""uvicorn's HTTP protocol, with ends for requests that never become whole, limits, and refusals that are envelopes.

uvicorn waits for the rest of a request without end: 5 of 5 partial requests were still open after 40 s. Here each
connection has one timer at most. A request moves the time at which it is due, and neither makes nor cancels a timer.
"""

import asyncio
import re
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from core import errors, limits, strict_json
from core.refusals import count_refusal
from core.server import handshakes
from core.server.doors import has_room
from core.server.websocket_protocol import WebSocketProtocol

#: A longer head (request line and headers) is refused, bytes.
MAX_HEAD = 64 * 1024
#: A body that takes longer than settings.REQUEST_TIMEOUT must arrive at this rate, bytes a second.
MIN_BODY_RATE = 1024


#: What may stand in `Host` (RFC 9110, 7.2).
_HOST = re.compile(rb"[\w.~!$&'()*+,;=%:\[\]-]*")


class Flood(Exception):
    """More requests wait for the answers before theirs than may."""


class Refused(Exception):
    """A head that is refused: raised for the parser, which stops and has `send_400_response` called."""


class HttpProtocol(HttpToolsProtocol):
    """For uvicorn's `http` option.

    A client has settings.REQUEST_TIMEOUT seconds for a request, from the opening of the connection or from the first
    byte after an answer. Each further period of that length must bring MIN_BODY_RATE of the body, or the request is
    refused. A connection on which nothing arrives is closed, also where a WebSocket handshake was expected.

    A client that sends more requests ahead than `core.limits.PIPELINED` is cut off: uvicorn makes an object of each at
    once. Connections leave the process some descriptors, and WebSockets leave more.

    Of what RFC 9112 has a server refuse, the parser takes some, and it is refused here: no `Host` or several, another
    version, another transfer coding than `chunked`. A refusal comes after the answers to the requests before it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._timeout: float = settings.REQUEST_TIMEOUT
        self._timer: asyncio.TimerHandle | None = None
        #: When the request must be whole, by the loop's clock; None while no request is expected or arriving.
        self._due: float | None = None
        #: Bytes of the request's body in this period.
        self._progress = 0
        #: Bytes of the request's head so far; None while no head is arriving.
        self._head: int | None = None
        self._is_flood = False
        #: What is wrong with the head that was read last; None for nothing, or if the parser knows.
        self._fault: errors.ApiError | None = None
        #: The refusal that waits for the answers before it. Nothing is read any more.
        self._late: errors.ApiError | None = None
        #: The request that is being served; uvicorn's `cycle` is the last one that has begun.
        self._served: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if has_room(transport, for_websocket=False):
            self._expect()
        else:
            self._refuse(errors.ServerFull())

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing() or self._late is not None:
            return  # what comes on a connection that is refused is not read
        if self._head is not None:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(errors.HeadersTooLarge())
                return
        if self._due is None:
            # Also for bytes that are no request: line ends alone would hold the connection open for ever.
            self._expect()
        super().data_received(data)

    def on_message_begin(self) -> None:
        if self.pipeline and len(self.pipeline) >= limits.PIPELINED.number and not limits.PIPELINED.is_lifted:
            self._is_flood = True
            count_refusal(limits.PIPELINED.label)
            raise Flood  # the parser stops, and has `send_400_response` called
        super().on_message_begin()
        self._head = 0
        if self._due is None:
            self._expect()

    def on_headers_complete(self) -> None:
        self._head = None
        self._fault = self._fault_of_head()
        if self._fault is not None:
            raise Refused
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._progress += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._due = None
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._stop_timer()
        if not has_room(self.transport, for_websocket=True):
            self._refuse(errors.ServerFull())
            return
        if not handshakes.is_plain(self.url, self.headers):
            self._refuse(errors.BadRequest())
        else:
            self._open_websocket()
        # The parser refers to this object; uvicorn's connection_lost breaks the same cycle.
        self.parser = None  # type: ignore[assignment]

    def _open_websocket(self) -> None:
        deflate = self.config.ws_per_message_deflate
        try:
            opening = handshakes.read(self.scope["method"], self.headers, deflate=deflate)
        except handshakes.Refused as refused:
            self.transport.write(refused.answer)
            self.transport.close()
            return
        self.connections.discard(self)
        protocol = WebSocketProtocol(self.config, self.server_state, self.loop)
        self.transport.set_protocol(protocol)
        protocol.open(
            self.transport,
            opening,
            target=self.url,
            headers=self.headers,
            server=self.server,
            client=self.client,
            is_encrypted=self.scheme == "https",
            app_state=self.app_state,
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._leave()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        fault = self._fault or errors.BadRequest()
        half = self.cycle is not None and self.cycle.more_body
        if self._is_flood or (half and self.pipeline):
            self._leave()
            self.transport.close()  # an answer would be taken for that of the first request that waits
        elif self.cycle is None or self.cycle.response_complete or half:
            self._refuse(fault)
        else:
            self._stop_timer()
            self._late = fault

    def on_response_complete(self) -> None:
        was_last = not self.pipeline
        super().on_response_complete()
        if self._late is not None and was_last and not self.transport.is_closing():
            self._refuse(self._late)

    def _fault_of_head(self) -> errors.ApiError | None:
        """Why a head that the parser takes is refused; None for a good one."""
        version, hosts = self.parser.get_http_version(), 0
        size = len(self.url)
        for name, value in self.headers:
            size += len(name) + len(value)
            if name == b"host":
                hosts += 1 if _HOST.fullmatch(value) else 2
            elif name == b"transfer-encoding" and value.lower() != b"chunked":
                return errors.BadRequest()
        if size > MAX_HEAD:
            return errors.HeadersTooLarge()
        if version == "1.1":
            return None if hosts == 1 else errors.BadRequest()
        # HTTP/1.0 has no upgrade, and needs no host.
        upgrades = self.parser.should_upgrade() and self._should_upgrade()
        return None if version == "1.0" and hosts <= 1 and not upgrades else errors.BadRequest()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._served = cycle
        super()._start_asgi_task(cycle, app)

    def _leave(self) -> None:
        """The request that is being served has no client any more, and its answer goes nowhere.

        uvicorn tells only the last request that has begun, so the answer to one before it would fail.
        """
        if self._served is not None:
            if not self._served.response_complete:
                self._served.disconnected = True
            self._served.message_event.set()
            self._served = None

    def _expect(self) -> None:
        """A request must become whole within the next period."""
        self._progress = 0
        self._due = self.loop.time() + self._timeout
        if self._timer is None:
            self._timer = self.loop.call_later(self._timeout, self._check_due)

    def _check_due(self) -> None:
        self._timer = None
        if self._due is None:
            return
        # While reading is paused, this server is slow and not the client.
        if self.flow.read_paused or self._progress >= MIN_BODY_RATE * self._timeout:
            self._expect()
        elif (left := self._due - self.loop.time()) > 0:
            self._timer = self.loop.call_later(left, self._check_due)
        elif self._answerable:
            self._refuse(errors.RequestTimeout())
        else:
            self.transport.close()

    @property
    def _answerable(self) -> bool:
        """Whether a request has begun and the client would take an answer that is sent now for that request's."""
        if self.cycle is None or self.cycle.response_complete:
            return self._head is not None
        return self.cycle.more_body and not self.cycle.response_started and not self.pipeline

    def _refuse(self, error: errors.ApiError) -> None:
        """Answers with `error` in the envelope, without the application, and closes the connection."""
        body = strict_json.dumps({"success": False, "error": error.message}).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        if isinstance(error, errors.TooManyRequests):
            headers.append((b"retry-after", str(error.retry_after).encode()))
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([STATUS_LINE[error.status], *lines, b"\r\n", body]))
        self.transport.close()

    def _stop_timer(self) -> None:
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
