"""AttenTrack's app as a client: its requests, its socket, and every text that the server has sent to it."""

import asyncio
import json
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.support.clients import FRAME_LIMIT, NO_CERTIFICATES, SILENCE, UNLIMITED, until_closed


class App:
    """Somebody's app. `traffic` is every text that the server has sent it."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url, self.token = url, token
        self.http = httpx.Client(base_url=url, timeout=60, verify=NO_CERTIFICATES)
        self.traffic: list[str] = []

    def close(self) -> None:
        self.http.close()

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> httpx.Response:
        bearer = token or self.token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        answer = self.http.request(method, path, json=body, headers=headers)
        self.traffic.append(answer.text)
        return answer

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200, token: str | None = None) -> Any:
        """The answer's JSON, or its text if it is no JSON. Raises AssertionError for another status."""
        answer = self.call(method, path, body, token=token)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer.json() if answer.headers.get("content-type", "").startswith("application/json") else answer.text

    def socket(self, path: str = "/attentrack") -> "AppSocket":
        return AppSocket(self, path)


class AppSocket:
    """`async with app.socket() as socket:`"""

    def __init__(self, app: App, path: str) -> None:
        self.app = app
        self.address = app.url.replace("http", "ws", 1) + path
        if app.token is not None:
            self.address += f"?token={app.token}"
        self.connection: ClientConnection

    async def __aenter__(self) -> "AppSocket":
        self.connection = await connect(self.address, **UNLIMITED)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.connection.close()

    async def send(self, kind: str, **fields: Any) -> None:
        await self.send_raw(json.dumps({"type": kind, **fields}))

    async def send_raw(self, text: str | bytes) -> None:
        await self.connection.send(text)

    async def frame(self) -> dict[str, Any]:
        async with asyncio.timeout(FRAME_LIMIT):
            text = str(await self.connection.recv())
        self.app.traffic.append(text)
        return dict(json.loads(text))

    async def rest(self) -> list[dict[str, Any]]:
        """The frames that still come until the server closes the socket."""
        return await until_closed(self.frame)

    async def error(self) -> str:
        frame = await self.frame()
        assert list(frame) == ["type", "message"], frame
        assert frame["type"] == "error", frame
        return str(frame["message"])

    async def hears_nothing(self) -> None:
        """Checks that no frame waits to be read: the answer to a message that is sent now is the next frame."""
        await self.send("a probe")
        assert await self.error() == "Unknown event"

    async def silence(self) -> None:
        try:
            frame = await asyncio.wait_for(self.connection.recv(), SILENCE)
        except TimeoutError:
            return
        raise AssertionError(f"a frame came: {frame!r}")
