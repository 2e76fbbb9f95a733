"""The opening handshake of a WebSocket (RFC 6455, 4), from a head that the HTTP parser has read.

The library `websockets` judges it. uvicorn has the library parse the head once more, from its bytes, in a state machine
that each connection keeps; here one is asked for all connections, about the headers that matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, InvalidHeaderValue
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol

Header = tuple[bytes, bytes]

#: A target or a header that is longer, and more headers than this, open no WebSocket: these are the library's limits.
MAX_LINE = 8192
MAX_HEADERS = 128
_VERSION = "Sec-WebSocket-Version"
_JUDGED = frozenset(
    (
        *(b"connection", b"upgrade", b"origin"),
        *(b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-protocol", b"sec-websocket-extensions"),
    )
)


class Refused(Exception):
    """A handshake with a mistake, or one that the application refuses."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        #: The whole answer, after which the connection is closed.
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Opening:
    """A good handshake."""

    #: The headers of the answer, each with its line end, but those of the application.
    answer: bytes
    #: What was agreed on: each changes the connection's frames.
    extensions: Sequence[Any]


def is_plain(target: bytes, headers: Sequence[Header]) -> bool:
    """Whether a head is one of a handshake: in ASCII as far as it counts, not too long, and without a body."""
    if not target.isascii() or len(target) > MAX_LINE or len(headers) > MAX_HEADERS:
        return False
    for name, value in headers:
        if len(name) + len(value) > MAX_LINE - 4:
            return False
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            return False
    return True


def read(method: str, headers: Sequence[Header], *, deflate: bool = False) -> Opening:
    """The opening that a head asks for. Raises `Refused`. `deflate`: compression is offered."""
    judged = Headers(
        [(name.decode("ascii"), value.decode("latin-1")) for name, value in headers if name in _JUDGED],
    )
    request = Request("", judged, method)
    judge = ServerProtocol(extensions=[_deflate()]) if deflate else _judge
    try:
        accept, extensions, _ = judge.process_request(request)
    except InvalidHandshake:
        raise Refused(_refusal(request)) from None
    lines = [b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ", accept.encode(), b"\r\n"]
    if extensions is not None:
        lines += [b"Sec-WebSocket-Extensions: ", extensions.encode(), b"\r\n"]
    return Opening(b"".join(lines), judge.extensions)


def rejection(status: HTTPStatus, text: str = "") -> bytes:
    """The whole answer that opens no WebSocket."""
    return _judge.reject(status, text).serialize()


def _refusal(request: Request) -> bytes:
    """The answer to a handshake with a mistake, which also says which version is spoken here (4.4)."""
    judge = ServerProtocol()
    response = judge.accept(request)
    failure = judge.handshake_exc
    if isinstance(failure, InvalidHeaderValue) and failure.name == _VERSION:
        upgrade = HTTPStatus.UPGRADE_REQUIRED
        response.status_code, response.reason_phrase = upgrade.value, upgrade.phrase
        response.headers[_VERSION] = "13"
        response.headers["Upgrade"] = "websocket"
    return response.serialize()


def _deflate() -> ServerPerMessageDeflateFactory:
    return ServerPerMessageDeflateFactory(
        server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
    )


#: Judging changes nothing in it that matters, as long as it offers no extension.
_judge = ServerProtocol()
