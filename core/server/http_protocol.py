"""uvicorn's HTTP protocol, which besides ends requests that never become whole, and words its refusals in the envelope.

uvicorn itself has no time-outs for a request on its way: 5 of 5 partial ones were still open after 40 s. A connection
has one timer at most, which requests only move: on a busy one nothing is made or cancelled for a request.
"""

import asyncio
from typing import Any

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from core import errors, strict_json

#: A request line and headers of more than this are refused, bytes.
MAX_HEAD = 64 * 1024
#: A body that takes longer than settings.REQUEST_TIMEOUT must go on at this rate, bytes a second.
MIN_BODY_RATE = 1024


class HttpProtocol(HttpToolsProtocol):
    """For uvicorn's `http` option.

    From the opening of the connection, or the first byte after an answer, a client has settings.REQUEST_TIMEOUT
    seconds for its request; each further period must bring MIN_BODY_RATE of its body, or end it. Also ends a
    connection on which nothing is said, a WebSocket's before its handshake too.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._timeout: float = settings.REQUEST_TIMEOUT
        self._timer: asyncio.TimerHandle | None = None
        #: When the request must be whole, by the loop's clock; None while there is none on its way.
        self._due: float | None = None
        #: Bytes of its body in this period.
        self._progress = 0
        #: Bytes of its head so far; None once that is whole.
        self._head: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self._refuse(errors.HeadersTooLarge())
                return
        if self._due is None:
            self._expect()  # even if it is nothing but line ends: those are no request, and would keep us waiting
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0
        if self._due is None:
            self._expect()

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._progress += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._due = None
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._stop_timer()
        super().handle_websocket_upgrade()
        if not self.transport.get_protocol().handshake_initiated:  # type: ignore[attr-defined]
            # websockets refuses some heads that are good HTTP, a header of 8 KiB say, and uvicorn leaves it at that.
            self._refuse(errors.BadRequest())
        self.parser = None  # type: ignore[assignment]  # as in connection_lost: it is a cycle with this object

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._refuse(errors.BadRequest())

    def _expect(self) -> None:
        """A request is to come, or is on its way."""
        self._progress = 0
        self._due = self.loop.time() + self._timeout
        if self._timer is None:
            self._timer = self.loop.call_later(self._timeout, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._due is None:
            return
        # While reading is paused it is we who are slow.
        if self.flow.read_paused or self._progress >= MIN_BODY_RATE * self._timeout:
            self._expect()
        elif (left := self._due - self.loop.time()) > 0:
            self._timer = self.loop.call_later(left, self._look)
        elif self._answerable:
            self._refuse(errors.RequestTimeout())
        else:
            self.transport.close()

    @property
    def _answerable(self) -> bool:
        """Whether a request has begun, and an answer sent now would be taken for its own."""
        if self.cycle is None or self.cycle.response_complete:
            return self._head is not None
        return self.cycle.more_body and not self.cycle.response_started and not self.pipeline

    def _refuse(self, error: errors.ApiError) -> None:
        """Answers in the envelope, past the application, and closes."""
        body = strict_json.dumps({"success": False, "error": error.message}).encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([STATUS_LINE[error.status], *lines, b"\r\n", body]))
        self.transport.close()

    def _stop_timer(self) -> None:
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
