"""Bytes reach many connections at once, and who did not take them all is known, with io_uring and without."""

import contextlib
import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NoReturn

import pytest

from core.server import fan_out, send_ring
from core.server.fan_out import FEW, Connections
from core.server.send_ring import SendRing

Pair = tuple[socket.socket, socket.socket]


def has_a_ring() -> bool:
    try:
        SendRing()
    except OSError:
        return False
    return True


needs_a_ring = pytest.mark.skipif(not has_a_ring(), reason="this system has no io_uring for this process")


@pytest.fixture(params=["io_uring", "one by one"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How bytes are sent."""
    monkeypatch.setattr(fan_out, "_here", fan_out._OfThisThread())
    if request.param == "one by one":
        fan_out._here.ring = None
    elif not has_a_ring():
        pytest.skip("this system has no io_uring for this process")


@pytest.fixture
def pairs() -> Iterator[Callable[[int], list[Pair]]]:
    """Connections over TCP, each with its peer. Neither end blocks."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def connect() -> Pair:
            peer = stack.enter_context(socket.create_connection(listener.getsockname()))
            connection = stack.enter_context(listener.accept()[0])
            connection.setblocking(False)
            peer.settimeout(10)
            return connection, peer

        yield lambda count: [connect() for _ in range(count)]


def together(some: list[Pair], which: Callable[[int], int] = lambda place: 0) -> Connections:
    connections = Connections()
    for place, (connection, _) in enumerate(some):
        connections.add(connection, which(place))
    return connections


def received(peer: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += peer.recv(count - len(data))
    return data


@pytest.mark.usefixtures("way")
def test_each_connection_gets_its_content_however_many_they_are(
    pairs: Callable[[int], list[Pair]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send_ring, "ENTRIES", 16)
    some = pairs(37)
    connections = together(some, which=lambda place: place % 3 % 2)
    # Again and again, so that the ring is filled from each of its places and over its end.
    for turn in range(5):
        contents = [b"some %d" % turn, b"others %d" % turn]
        assert connections.send(contents) == []
        for place, (_, peer) in enumerate(some):
            expected = contents[place % 3 % 2]
            assert received(peer, len(expected)) == expected


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("count", [1, FEW, FEW + 1])
def test_one_content_goes_to_all_in_the_order_of_the_turns(pairs: Callable[[int], list[Pair]], count: int) -> None:
    some = pairs(count)
    connections = together(some)
    for data in (b"first, ", b"", b"second"):
        assert connections.send([data]) == []
    assert [received(peer, 13) for _, peer in some] == [b"first, second"] * count


@pytest.mark.usefixtures("way")
def test_who_takes_a_part_and_who_takes_nothing_is_known(pairs: Callable[[int], list[Pair]]) -> None:
    # Sockets of a pair take what their buffer holds, and no more by themselves as connections over TCP do.
    with ExitStack() as stack:
        part, full = socket.socketpair(), socket.socketpair()
        some = pairs(FEW + 4)
        some[3:6:2] = [part, full]
        for connection, peer in (part, full):
            stack.enter_context(connection)
            stack.enter_context(peer)
            connection.setblocking(False)
            peer.settimeout(10)
        with contextlib.suppress(BlockingIOError):
            while True:
                full[0].send(b"x" * 4096)
        content = b"y" * 10_000_000
        connections = together(some, which=lambda place: int(place == 3))
        (place, which, taken), *others = connections.send([b"short", content])
        assert (place, which) == (3, 1)
        assert 0 < taken < len(content)
        assert others == [(5, 0, 0)]
        assert received(part[1], taken) == content[:taken]
        assert all(received(peer, 5) == b"short" for at, (_, peer) in enumerate(some) if at not in (3, 5))


@pytest.mark.usefixtures("way")
def test_a_broken_connection_keeps_nothing_from_the_others(pairs: Callable[[int], list[Pair]]) -> None:
    some = pairs(FEW + 4)
    connections = together(some)
    some[2][0].shutdown(socket.SHUT_WR)
    assert connections.send([b"short"]) == [(2, 0, 0)]
    assert all(received(peer, 5) == b"short" for at, (_, peer) in enumerate(some) if at != 2)


@needs_a_ring
def test_what_the_kernel_does_not_take_goes_out_later_and_once(
    pairs: Callable[[int], list[Pair]], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = pairs(FEW + 4)
    monkeypatch.setattr(fan_out, "_here", fan_out._OfThisThread())
    connections = together(some)
    connections.send([b"first"])
    ring = fan_out._here.ring
    assert ring is not None
    enter = ring._checked

    def short_of_memory(*arguments: int) -> NoReturn:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    def takes_two(number: int, descriptor: int, count: int, least: int, flags: int) -> int:
        return enter(number, descriptor, 2, 2, flags)

    monkeypatch.setattr(ring, "_checked", short_of_memory)
    assert connections.send([b"second"]) == [(at, 0, 0) for at in range(len(some))]
    monkeypatch.setattr(ring, "_checked", takes_two)
    assert connections.send([b"third"]) == [(at, 0, 0) for at in range(2, len(some))]
    monkeypatch.setattr(ring, "_checked", enter)
    assert connections.send([b"fourth"]) == []
    heard = [received(peer, 16 if at < 2 else 11) for at, (_, peer) in enumerate(some)]
    assert heard == [b"firstthirdfourth"] * 2 + [b"firstfourth"] * (len(some) - 2)


@needs_a_ring
def test_threads_send_at_the_same_time_each_with_a_ring_of_its_own(pairs: Callable[[int], list[Pair]]) -> None:
    groups = [pairs(FEW + 4) for _ in range(4)]
    begin = threading.Barrier(len(groups))

    def send(some: list[Pair]) -> None:
        connections = together(some)
        begin.wait(10)
        for turn in range(100):
            assert connections.send([b"turn %02d" % turn]) == []

    threads = [threading.Thread(target=send, args=[some]) for some in groups]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = b"".join(b"turn %02d" % turn for turn in range(100))
    assert all(received(peer, len(expected)) == expected for some in groups for _, peer in some)


@needs_a_ring
def test_a_ring_that_is_let_go_of_leaves_no_descriptor_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        SendRing()
    assert len(os.listdir("/proc/self/fd")) == before


def test_where_there_is_no_ring_that_is_asked_once(
    pairs: Callable[[int], list[Pair]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def refuse() -> NoReturn:
        asked.append(True)
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(fan_out, "_here", fan_out._OfThisThread())
    monkeypatch.setattr(fan_out, "SendRing", refuse)
    some = pairs(FEW + 4)
    connections = together(some)
    with caplog.at_level("INFO", fan_out.__name__):
        for _ in range(2):
            assert connections.send([b"short"]) == []
    assert all(received(peer, 10) == b"shortshort" for _, peer in some)
    assert asked == [True]
    assert "Operation not permitted" in caplog.text
