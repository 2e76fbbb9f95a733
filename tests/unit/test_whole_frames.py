"""Whole, plain frames are taken without the library, and come to the same as with the library."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as some
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from core.server.websocket_protocol import WebSocketProtocol, text_frame

LONGEST = 1000

_TEXTS = some.text(max_size=140) | some.sampled_from(["x" * size for size in (125, 126, 127, LONGEST, LONGEST + 1)])
_BYTES = some.binary(max_size=20)
_FRAMES = some.one_of(
    some.builds(
        lambda text, fin: Frame(Opcode.TEXT, text.encode(), fin=fin), _TEXTS, some.just(True) | some.booleans()
    ),
    some.builds(lambda data, fin: Frame(Opcode.CONT, data, fin=fin), _BYTES, some.booleans()),
    some.builds(Frame, some.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG]), _BYTES),
)


def sent(frame: Frame, *, masked: bool, flipped: int) -> bytes:
    """The frame's bytes, with some bits of the first one the other way."""
    whole = bytearray(frame.serialize(mask=masked))
    whole[0] ^= flipped
    return bytes(whole)


#: Most are as they should be.
_SENT = some.builds(
    sent,
    _FRAMES,
    masked=some.sampled_from([True] * 9 + [False]),
    flipped=some.sampled_from([0] * 9) | some.integers(0, 255),
)


@given(_TEXTS)
def test_a_text_is_sent_as_the_library_sends_it(text: str) -> None:
    assert text_frame(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


class Transport:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None: ...


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def outcome(loop: asyncio.AbstractEventLoop, pieces: list[bytes], *, by_library: bool) -> tuple[Any, ...]:
    """What the application receives and the client is sent, and whether the connection is closed."""
    config = uvicorn.Config(lambda: None, ws_max_size=LONGEST, log_config=None)
    protocol: Any = WebSocketProtocol(config, ServerState(), loop)
    protocol.transport, protocol._done = Transport(), True
    if by_library:
        protocol._become_parser()
    for data in pieces:
        if not protocol.transport.is_closed:
            protocol.data_received(data)
    return protocol._messages, protocol.transport.written, protocol.transport.is_closed


@given(some.lists(_SENT, max_size=6), some.lists(some.integers(0, 400)))
def test_frames_are_taken_as_the_library_takes_them(
    loop: asyncio.AbstractEventLoop, frames: list[bytes], cuts: list[int]
) -> None:
    whole = b"".join(frames)
    places = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(places) if a < b]
    assert outcome(loop, pieces, by_library=False) == outcome(loop, pieces, by_library=True)
