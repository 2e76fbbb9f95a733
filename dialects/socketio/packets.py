"""Socket.IO's packets, as this server writes and reads them."""

from dataclasses import dataclass
from typing import Any

import msgspec
from socketio import packet

from core import errors, strict_json

_encode = msgspec.json.Encoder().encode

#: The one event of clients that the library's server knows. It carries the client's own event, so that a client's event
#: `connect`, `disconnect` or `*` never reaches the server's handler of that name.
CLIENT_EVENT = "client event"

#: What a CONNECT says whose payload cannot be read. The library would drop it, and the client would wait.
UNREADABLE = object()

#: The packet that ends a connection to the namespace.
DISCONNECT = str(packet.DISCONNECT)


def event_frame(event: str, data: Any) -> str:
    """The frame of an event for the client."""
    return f"{packet.EVENT}{_encode([event, data]).decode()}"


def ack_frame(ack_id: int, data: Any) -> str:
    """The frame that calls the client's callback with `data`."""
    return f"{packet.ACK}{ack_id}{_encode([data]).decode()}"


@dataclass(frozen=True, slots=True)
class ClientEvent:
    """An event as a client sent it: `[name, argument, …]` if it is well-formed. `ack_id` names the callback, if any."""

    content: Any
    ack_id: int | None

    def read(self) -> tuple[str, Any]:
        """The event's name and its payload, `{}` for none. Raises `InvalidMessage` for several payloads or no event."""
        match self.content:
            case [str(name)] | [str(name), None]:
                return name, {}
            case [str(name), payload]:
                return name, payload
        raise errors.InvalidMessage


class _StrictJson:
    loads = staticmethod(strict_json.loads)
    dumps = staticmethod(packet.Packet.json.dumps)


class Packet(packet.Packet):  # type: ignore[misc]
    """A packet that can be read from anything: what is no packet becomes an event without content.

    Such an event is answered with an error. So no client's mistake reaches the library's log. The library sends no
    acknowledgements either: this server sends them, in their place among the events.
    """

    json = _StrictJson
    data: Any

    def __init__(self, *args: Any, encoded_packet: Any = None, **options: Any) -> None:
        super().__init__(*args, encoded_packet="?" if encoded_packet == "" else encoded_packet, **options)

    def decode(self, encoded_packet: Any) -> int:
        if isinstance(encoded_packet, bytes):
            self._set(packet.ACK, None)  # the attachment of a binary event, which was refused
            return 0
        try:
            if not isinstance(encoded_packet, str):
                raise ValueError("no packet")
            super().decode(encoded_packet)
        except (ValueError, TypeError, IndexError, RecursionError):
            if isinstance(encoded_packet, str) and encoded_packet.startswith(str(packet.CONNECT)):
                self.packet_type, self.data = packet.CONNECT, {"auth": UNREADABLE}
            else:
                self._event(None)  # with its id, if that could be read, the client is answered
            return 0
        match self.packet_type:
            case packet.EVENT:
                self._event(self.data)
            case packet.CONNECT:
                self.data = {"auth": self.data}
            case packet.DISCONNECT | packet.ACK:
                pass
            case packet.BINARY_ACK:
                self._set(packet.ACK, None)
            case _:  # binary events too: no event of the dialects is binary
                self._event(None)
        return 0

    def _event(self, content: Any) -> None:
        self._set(packet.EVENT, [CLIENT_EVENT, ClientEvent(content, self.id)])

    def _set(self, packet_type: int, data: Any) -> None:
        self.packet_type, self.data, self.id = packet_type, data, None
