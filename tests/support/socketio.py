"""A Socket.IO client for tests, which can also say what the real one cannot; the real one is in tests/clients.

It speaks Engine.IO 4 over a WebSocket by hand: `async with events_socket(server, token) as socket:`.
"""

import asyncio
import itertools
import json
from collections import deque
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.clients import FRAME_LIMIT, UNLIMITED

#: One event as a client hears it.
Heard = tuple[str, Any]


class Refused(Exception):
    """The server refused the connection; its message."""


class SocketIo:
    """One connection to a server's /socket.io."""

    def __init__(self, url: str, *, query: dict[str, str] | None = None, auth: Any = None, **options: Any) -> None:
        asked = urlencode({"EIO": 4, "transport": "websocket", **(query or {})})
        self.url = f"{url.replace('http', 'ws', 1)}/socket.io/?{asked}"
        self.auth = auth
        self.options = options
        self.connection: ClientConnection
        self._ids = itertools.count()
        #: Events and acknowledgements that came while something else was waited for.
        self._heard: deque[Heard] = deque()
        self._acks: dict[int, Any] = {}

    async def __aenter__(self) -> "SocketIo":
        self.connection = await connect(self.url, **{**UNLIMITED, **self.options})
        try:
            opening = await self.packet()
            assert opening.startswith("0{"), opening
            await self.raw("40" if self.auth is None else "40" + json.dumps(self.auth))
            answer = await self.packet()
            if answer.startswith("44"):
                raise Refused(json.loads(answer[2:])["message"])
            assert answer.startswith('40{"sid":'), answer
        except BaseException:
            await self.connection.close()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.connection.close()

    async def raw(self, packet: str | bytes) -> None:
        await self.connection.send(packet)

    async def packet(self) -> str:
        """The next packet, pings aside."""
        async with asyncio.timeout(FRAME_LIMIT):
            while True:
                text = await self.connection.recv()
                assert isinstance(text, str), text
                if text != "2":
                    return text
                await self.raw("3")

    async def send(self, event: str, *payload: Any) -> None:
        """An event without a callback."""
        await self.raw("42" + json.dumps([event, *payload]))

    async def call(self, event: str, *payload: Any) -> Any:
        """An event with a callback: what the callback gets. What is emitted meanwhile is still to be heard."""
        ack_id = next(self._ids)
        await self.raw(f"42{ack_id}" + json.dumps([event, *payload]))
        while ack_id not in self._acks:
            await self._read()
        return self._acks.pop(ack_id)

    async def hear(self, event: str | None = None) -> Any:
        """The next event; with `event`, its payload, and it must be that one."""
        while not self._heard:
            await self._read()
        heard = self._heard.popleft()
        if event is None:
            return heard
        assert heard[0] == event, heard
        return heard[1]

    async def hears(self, *events: str) -> list[Any]:
        """The payloads of the next events."""
        return [await self.hear(event) for event in events]

    async def hears_nothing(self, error: str, message: str) -> None:
        """Nothing came since what was heard last: the answer to a message of our own is the next."""
        await self.send("a probe")
        assert await self.hear() == (error, {"message": message})

    async def _read(self) -> None:
        packet = await self.packet()
        if packet.startswith("42"):
            event, payload = json.loads(packet[2:])
            self._heard.append((event, payload))
        elif packet.startswith("43"):
            start = packet.index("[")
            (self._acks[int(packet[2:start])],) = json.loads(packet[start:])
        else:
            raise AssertionError(packet)

    async def last_words(self) -> list[Heard | str]:
        """What still comes until the server closes; packets that are no events as they are."""
        words: list[Heard | str] = [*self._heard]
        self._heard.clear()
        try:
            while True:
                packet = await self.packet()
                words.append(tuple(json.loads(packet[2:])) if packet.startswith("42") else packet)
        except ConnectionClosed:
            return words


def events_socket(url: str, token: str | None) -> SocketIo:
    """A connection in the events dialect."""
    return SocketIo(url, query={} if token is None else {"token": token})


def rooms_socket(url: str, token: Any, **options: Any) -> SocketIo:
    """A connection in the rooms dialect; `token` None: `auth` has none."""
    return SocketIo(url, auth={} if token is None else {"token": token}, **options)
