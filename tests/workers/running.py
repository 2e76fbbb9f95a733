"""A worker of several, all in the test's process, and clients that speak HTTP to it, plain or over TLS."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from core import certificates
from core.server.handover import Handover
from core.server.serving import SEND_BUFFER
from core.server.workers import Worker
from core.times import now

LIMIT = 15.0  # seconds for whatever is to come


class Running:
    """A worker whose application answers every request with the worker's name and what came."""

    def __init__(self, name: str, folder: Path, keys: ssl.SSLContext | None = None) -> None:
        self.name = name
        self.keys = keys
        self.handover = Handover(Worker(name, folder))
        self.state = ServerState()
        self.held: asyncio.Event | None = None

    async def start(self) -> None:
        config = uvicorn.Config(
            self.answer,
            http=self.handover.protocol,  # type: ignore[arg-type]
            ws="core.server.websocket_protocol:WebSocketProtocol",
            interface="asgi3",
            lifespan="off",
            log_config=None,
        )
        config.load()

        def make() -> Any:
            return config.http_protocol_class(config=config, server_state=self.state, app_state={})  # type: ignore[call-arg]

        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.server = await asyncio.get_running_loop().create_server(make, sock=listener, ssl=self.keys)
        self.port = listener.getsockname()[1]
        self.handover.open(make)

    async def stop(self) -> None:
        self.handover.close()
        self.server.close()
        for connection in list(self.state.connections):
            connection.transport.abort()
        await until(lambda: not self.state.connections)

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            assert scope["scheme"] == ("ws" if self.keys is None else "wss")
            await send({"type": "websocket.send", "text": self.name})
            while (message := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": message["text"]})
            return
        assert scope["scheme"] == ("http" if self.keys is None else "https")
        assert scope["client"][0] == "127.0.0.1"
        if scope["path"] == "/early":
            text = b"early"
        else:
            length = 0
            while True:
                message = await receive()
                length += len(message.get("body", b""))
                if not message.get("more_body"):
                    break
            text = f"{self.name} {scope['method']} {length} {scope['server'][1]}".encode()
        if self.held is not None:
            await self.held.wait()
        headers = [(b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text})


def keys_in(folder: Path) -> ssl.SSLContext:
    """What a server needs for TLS; the authority is put into `folder`, too."""
    authority = certificates.make_authority(name="tests", names=[], addresses=[], now=now())
    made = certificates.make_server(authority, names=[], addresses=[ipaddress.ip_address("127.0.0.1")], now=now())
    (folder / "server.pem").write_bytes(made.pem)
    (folder / "authority.pem").write_bytes(authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def trust(worker: Running) -> ssl.SSLContext | None:
    """What a client of the worker needs."""
    if worker.keys is None:
        return None
    return ssl.create_default_context(cafile=worker.handover._worker.folder / "authority.pem")


def url_of(worker: Running, target: str) -> str:
    return f"{'ws' if worker.keys is None else 'wss'}://127.0.0.1:{worker.port}{target}"


def relayed(worker: Running) -> int:
    """How many connections the worker keeps of a client that another worker serves."""
    return 0 if worker.keys is None else 1


class Client:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> str:
        """The body of the next answer."""
        async with asyncio.timeout(LIMIT):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            return (await self.reader.readexactly(length)).decode()

    async def ask(self, target: str, body: bytes = b"") -> str:
        await self.say(request(target, body))
        return await self.hear()


def request(target: str, body: bytes = b"") -> bytes:
    method = "POST" if body else "GET"
    return f"{method} {target} HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def client_of(worker: Running) -> AsyncIterator[Client]:
    client = Client(*await asyncio.open_connection("127.0.0.1", worker.port, ssl=trust(worker)))
    try:
        yield client
    finally:
        client.writer.close()


async def until(holds: Callable[[], bool]) -> None:
    """Returns once `holds()`."""
    async with asyncio.timeout(LIMIT):
        while not holds():
            await asyncio.sleep(0)
