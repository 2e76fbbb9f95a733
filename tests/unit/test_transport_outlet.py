"""The way out over the server's transport: one write for many frames, and nobody waits for a slow reader."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from attendance.live import outlet as outlets
from attendance.live.frames import Frames
from attendance.live.outlet import AsgiOutlet, TransportOutlet, make_outlet
from core.server.websocket_protocol import EXTENSION, FrameTransport, text_frame


class Transport:
    """A `core.server.websocket_protocol.FrameTransport` whose peer may stop taking what is written."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.unsent = 0
        self.is_open = True
        self.taking = asyncio.Event()
        self.taking.set()
        self.aborted = False
        self.connection: Any = SimpleNamespace(send=len)
        self.changed: Any = None

    def write(self, frames: bytes) -> None:
        self.writes.append(frames)
        if not self.taking.is_set():
            self.unsent += len(frames)

    async def drained(self) -> None:
        await self.taking.wait()
        self.unsent = 0

    def abort(self) -> None:
        self.aborted = True


class Socket:
    """An outlet, and what came out of it."""

    def __init__(self, *, opened: bool = True) -> None:
        self.transport: Any = Transport()
        self.closes: list[int] = []
        self.abandoned = asyncio.Event()
        self.stuck = False
        self.outlet = TransportOutlet(self.send, self.abandoned.set, cast(FrameTransport, self.transport))
        if opened:
            self.outlet.open()

    async def send(self, message: dict[str, Any]) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        assert message["type"] == "websocket.close"
        self.closes.append(message["code"])


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_frames_on_the_wire_are_text_messages_one_after_another() -> None:
    # RFC 6455, 5.7: an unmasked text message "Hello" is 81 05 48 65 6c 6c 6f.
    assert Frames(["Hello", "é"]).wire == bytes.fromhex("810548656c6c6f") + b"\x81\x02\xc3\xa9"
    assert Frames(["x" * 126]).wire[:4] == b"\x81\x7e\x00\x7e"
    assert Frames(["x" * 65536]).wire[:10] == b"\x81\x7f" + (65536).to_bytes(8, "big")


async def test_a_batch_is_one_write_and_the_same_bytes_for_every_socket() -> None:
    sockets = [Socket(), Socket()]
    frames = Frames(["a", "b"])
    for socket in sockets:
        socket.outlet.send(frames)
    assert [socket.transport.writes for socket in sockets] == [[text_frame("a") + text_frame("b")]] * 2
    assert sockets[0].transport.writes[0] is sockets[1].transport.writes[0]


async def test_nothing_is_written_before_the_socket_is_open() -> None:
    socket = Socket(opened=False)
    socket.outlet.send(Frames(["a"]))
    socket.outlet.send(Frames(["b"]))
    assert socket.transport.writes == []
    socket.outlet.open()
    assert socket.transport.writes == [text_frame("a"), text_frame("b")]


async def test_the_close_comes_last_and_passes_the_server() -> None:
    socket = Socket()
    socket.outlet.send(Frames(["a"]))
    socket.outlet.close(4401)
    socket.outlet.send(Frames(["b"]))
    await settle()
    assert (socket.transport.writes, socket.closes) == ([text_frame("a")], [4401])
    socket.outlet.stop()


async def test_a_slow_reader_is_closed_and_cut_off_if_it_does_not_even_take_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outlets, "CLOSE_TIMEOUT", 0.0)
    socket = Socket()
    socket.transport.taking.clear()
    socket.stuck = True
    for _ in range(5):
        socket.outlet.send(Frames(["x" * (outlets.MAX_UNSENT // 2)]))
    await asyncio.wait_for(socket.abandoned.wait(), 10)
    assert socket.transport.aborted
    assert len(socket.transport.writes) == 2  # the second went over the limit


async def test_a_slow_reader_that_wakes_up_finds_1013() -> None:
    socket = Socket()
    socket.transport.taking.clear()
    for _ in range(3):
        socket.outlet.send(Frames(["x" * (outlets.MAX_UNSENT // 2)]))
    await settle()
    assert socket.closes == [1013]
    socket.outlet.stop()


async def test_frames_may_go_past_the_transport_while_the_socket_is_open_and_nothing_is_queued() -> None:
    socket = Socket(opened=False)
    changes: list[bool] = []
    socket.outlet.changed = lambda: changes.append(socket.outlet.connection is not None)
    assert socket.outlet.connection is None
    socket.outlet.open()
    past = socket.transport.connection
    assert socket.outlet.connection is past
    for connection in (None, past):  # the transport begins to queue; it has nothing queued any more
        socket.transport.connection = connection
        socket.transport.changed()
    socket.outlet.close(4401)
    socket.transport.changed()
    assert changes == [True, False, True, False, False]
    socket.outlet.stop()


async def test_what_was_not_taken_is_queued_behind_what_was() -> None:
    socket = Socket()
    socket.outlet.send_rest(Frames(["Hello"]).wire[3:])
    assert socket.transport.writes == [b"ello"]
    socket.outlet.stop()


async def test_a_large_answer_waits_for_what_was_before_it_and_does_not_count_as_slow() -> None:
    socket = Socket()
    socket.transport.taking.clear()
    socket.outlet.send(Frames(["before"]))
    answering = asyncio.create_task(socket.outlet.answer(lambda: "y" * (2 * outlets.MAX_UNSENT)))
    await settle()
    assert len(socket.transport.writes) == 1
    socket.transport.taking.set()
    await answering
    socket.transport.taking.clear()
    socket.transport.unsent = 2 * outlets.MAX_UNSENT
    socket.outlet.send(Frames(["after"]))
    await settle()
    assert (len(socket.transport.writes), socket.closes) == (3, [])
    socket.outlet.stop()


async def test_a_server_that_offers_no_transport_is_sent_events() -> None:
    async def send(message: dict[str, Any]) -> None: ...

    assert type(make_outlet({"extensions": {}}, send, lambda: None)) is AsgiOutlet
    assert type(make_outlet({}, send, lambda: None)) is AsgiOutlet
    offered = {"extensions": {EXTENSION: Transport()}}
    assert isinstance(make_outlet(offered, send, lambda: None), TransportOutlet)
