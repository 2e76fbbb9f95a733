"""The same bytes to many sockets at once, in the quickest way that the system has."""

import logging
import os
import threading
from array import array
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

from core.server.send_ring import SendRing

logger = logging.getLogger(__name__)

#: For so few sockets the ring is not quicker.
FEW = 12


class Connection(Protocol):
    """A socket that does not block."""

    def fileno(self) -> int: ...
    def send(self, data: bytes, /) -> int: ...


class Connections:
    """Connections that are sent to together, in order.

    They are kept by their descriptors too. So let go of this object before one of them is closed: another connection
    may then have its descriptor.
    """

    def __init__(self) -> None:
        self._connections: list[Connection] = []
        self._descriptors = array("i")
        #: Which of the contents each is sent.
        self._which = array("i")

    def add(self, connection: Connection, content: int) -> None:
        """`connection` is sent the content at this place from now on."""
        self._connections.append(connection)
        self._descriptors.append(connection.fileno())
        self._which.append(content)

    def send(self, contents: Sequence[bytes]) -> list[tuple[int, int, int]]:
        """Sends each connection its content, without waiting.

        Returns who did not take everything: which connection, which content, and how many bytes of it it took. None are
        taken where the system has no room for it now, and where the connection is broken.
        """
        ring = _here.ring if len(self._connections) > FEW else None
        if ring is not None:
            short = ring.send(self._descriptors, contents, self._which)
        else:
            short = self._one_by_one(contents)
        return [(place, self._which[place], taken) for place, taken in short]

    def _one_by_one(self, contents: Sequence[bytes]) -> list[tuple[int, int]]:
        short = []
        for place, connection in enumerate(self._connections):
            data = contents[self._which[place]]
            try:
                taken = connection.send(data)
            except OSError:
                taken = 0
            if taken != len(data):
                short.append((place, taken))
        return short


class _OfThisThread(threading.local):
    """A ring has one thread, which makes it when it first needs it."""

    @cached_property
    def ring(self) -> SendRing | None:
        """None where there can be none."""
        try:
            return SendRing()
        except OSError as failure:
            logger.info("Frames go out one by one, as there is no io_uring here: %s.", failure)
            return None


_here = _OfThisThread()


def _begin_anew() -> None:
    """A process that is a fork of another has rings of its own."""
    _here.__dict__.clear()


os.register_at_fork(after_in_child=_begin_anew)
