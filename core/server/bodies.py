"""Reading requests' bodies: each up to a limit, and all of them together up to `core.limits.BODIES`.

A body counts from its first byte until the place that it has is given up, so bodies that trickle in count, and those
that wait for a thread.
"""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, NamedTuple

from core.limits import BODIES
from core.refusals import count_refusal

Receive = Callable[[], Awaitable[dict[str, Any]]]

MIB = 1024 * 1024
#: At most this much of a body that is not kept is read and dropped, bytes.
DRAIN_LIMIT = 64 * MIB
#: One address may have this part of what all bodies together may have.
PART_OF_ADDRESS = 4


class ClientGone(Exception):
    """The client closed the connection before its request was whole."""


class Body(NamedTuple):
    content: bytes
    #: The number of bytes that came, also where they were not kept.
    length: int
    #: Whether the body was not kept because there was no room for it.
    is_refused: bool


class Bodies:
    """The bodies that this process holds, by their clients' networks, bytes."""

    def __init__(self) -> None:
        self.held = 0
        self.by_network: dict[str, int] = {}

    def place(self, network: str) -> "Place":
        """A place for one body; `with` gives it up."""
        return Place(self, network)


#: This process's.
bodies = Bodies()


class Place:
    """What one body takes of the room."""

    def __init__(self, of: Bodies, network: str) -> None:
        self._of = of
        self._network = network
        self._held = 0

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.clear()

    def take(self, size: int) -> bool:
        """Takes room for `size` more bytes; False if there is none."""
        of, room = self._of, BODIES.number * MIB
        held = of.by_network.get(self._network, 0) + size
        if not BODIES.is_lifted and (of.held + size > room or held > room // PART_OF_ADDRESS):
            return False
        of.held += size
        of.by_network[self._network] = held
        self._held += size
        return True

    def clear(self) -> None:
        """Gives the room up that was taken."""
        of = self._of
        of.held -= self._held
        left = of.by_network.get(self._network, 0) - self._held
        if left > 0:
            of.by_network[self._network] = left
        else:
            of.by_network.pop(self._network, None)
        self._held = 0


async def read_body(receive: Receive, place: Place, *, limit: int) -> Body:
    """Reads a request's body. One that is over the limit, or that there is no room for, is read and dropped.

    A client that still sends does not read an answer, so the rest of such a body is read before the answer. Raises
    `ClientGone`.
    """
    chunks: list[bytes] = []
    length, more, is_refused = 0, True, False
    while more and length <= DRAIN_LIMIT:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        length += len(chunk)
        if not is_refused and length <= limit and not place.take(len(chunk)):
            count_refusal(BODIES.label)
            is_refused = True
        if is_refused or length > limit:
            chunks.clear()
            place.clear()
        else:
            chunks.append(chunk)
        more = message.get("more_body", False)
    return Body(b"".join(chunks), length, is_refused)
