"""The floor in Python: what a process takes that does nothing but send to many sockets, as this project sends.

    python -m bench.floor       # PORT in the environment

It upgrades whoever connects to 127.0.0.1, knows nobody, stores nothing, and sends the text of each frame that comes to
all sockets, by `core.server.fan_out`. Frames that come together go out together. Between this floor and the server is
what a mark does; the floor in C (`floor.c`) has one call of `send` for each socket.
"""

import os
import resource
import select
import socket

from core.server.fan_out import Connections

READ_SIZE = 64 * 1024
BACKLOG = 4096
#: The key is not answered as the protocol asks: the load does not look.
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


class Client:
    """A connection, what came of a request or of a frame that is not whole yet, and whether it is a WebSocket now."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.rest = b""
        self.is_upgraded = False

    def texts(self) -> bytes:
        """The whole frames that have come, as a server sends them; the rest stays. ConnectionError at the end."""
        more = self.connection.recv(READ_SIZE)
        if not more:
            raise ConnectionError
        self.rest += more
        if not self.is_upgraded:
            request, end, self.rest = self.rest.partition(b"\r\n\r\n")
            if not end:
                self.rest = request
                return b""
            self.connection.send(ANSWER)
            self.is_upgraded = True
        frames, self.rest = unmasked(self.rest)
        return frames


def unmasked(data: bytes) -> tuple[bytes, bytes]:
    """The whole frames at the beginning of `data`, without their masks, and what is left. No frame has 64 KiB."""
    frames, at = [], 0
    while len(data) - at >= 8:
        size, head = data[at + 1] & 0x7F, 2
        if size == 126:
            size, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
        begin = at + head + 4
        if begin + size > len(data):
            break
        mask = (data[at + head : begin] * (size // 4 + 1))[:size]
        text = int.from_bytes(data[begin : begin + size], "big") ^ int.from_bytes(mask, "big")
        frames += [
            data[at : at + 1],
            bytes([data[at + 1] & 0x7F]),
            data[at + 2 : at + head],
            text.to_bytes(size, "big"),
        ]
        at = begin + size
    return b"".join(frames), data[at:]


def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listener = socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "0"))), backlog=BACKLOG)
    poller = select.epoll()
    poller.register(listener.fileno(), select.EPOLLIN)
    clients: dict[int, Client] = {}
    #: All that are upgraded; made anew when somebody has come or gone.
    everybody: Connections | None = None
    while True:
        for number, _ in poller.poll():
            if number == listener.fileno():
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setblocking(False)
                clients[connection.fileno()] = Client(connection)
                poller.register(connection.fileno(), select.EPOLLIN)
                continue
            client = clients[number]
            if not client.is_upgraded:
                everybody = None
            try:
                frames = client.texts()
            except ConnectionError:
                everybody = None
                clients.pop(number).connection.close()
                continue
            if frames:
                if everybody is None:
                    everybody = Connections()
                    for listening in clients.values():
                        if listening.is_upgraded:
                            everybody.add(listening.connection, 0)
                everybody.send([frames])


if __name__ == "__main__":
    main()
