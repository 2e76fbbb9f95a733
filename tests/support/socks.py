"""The one way from a browser to anywhere, by SOCKS 5: it leads to this machine alone, and can be cut."""

import select
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer

HERE = "127.0.0.1"
#: Of the protocol (RFC 1928): its version, no password, "connect", an address of IPv4, a name; granted, refused.
VERSION, OPEN, CONNECT, IPV4, NAME = 5, 0, 1, 1, 3
GRANTED, REFUSED = 0, 2


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Carries what each says to the other, until one of them ends."""
    while True:
        ready, _, _ = select.select([one, other], [], [])
        for speaker, hearer in ((one, other), (other, one)):
            if speaker in ready:
                said = speaker.recv(1 << 16)
                if not said:
                    return
                hearer.sendall(said)


def _end(connections: Iterable[socket.socket]) -> None:
    for connection in connections:
        with suppress(OSError):  # it has ended by itself
            connection.shutdown(socket.SHUT_RDWR)


class Way:
    """A proxy of SOCKS on a port of its own. While it is cut, nothing is connected and nothing can be."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_cut = False
        way = self

        class Handler(StreamRequestHandler):
            connection: socket.socket

            def handle(self) -> None:
                if way._enter(self.connection):
                    with suppress(OSError):  # cut, or its browser is gone
                        self._serve()
                    way._leave(self.connection)

            def _serve(self) -> None:
                _, methods = self.rfile.read(2)
                self.rfile.read(methods)
                self.wfile.write(bytes([VERSION, OPEN]))
                _, command, _, kind = self.rfile.read(4)
                if kind == IPV4:
                    place = socket.inet_ntoa(self.rfile.read(4))
                elif kind == NAME:
                    place = self.rfile.read(self.rfile.read(1)[0]).decode()
                else:
                    place = ""
                is_here = command == CONNECT and place == HERE
                answer = bytes([VERSION, GRANTED if is_here else REFUSED, 0, IPV4, *bytes(6)])
                if not is_here:
                    self.wfile.write(answer)
                    return
                port = int.from_bytes(self.rfile.read(2), "big")
                with socket.create_connection((HERE, port)) as there:
                    self.wfile.write(answer)
                    _relay(self.connection, there)

        class Proxy(ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 50

        self._server = Proxy((HERE, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def cut(self, is_off: bool) -> None:
        with self._lock:
            self._is_cut = is_off
            if is_off:
                _end(self._open)

    def _enter(self, connection: socket.socket) -> bool:
        with self._lock:
            if not self._is_cut:
                self._open.add(connection)
            return not self._is_cut

    def _leave(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def close(self) -> None:
        self.cut(True)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
