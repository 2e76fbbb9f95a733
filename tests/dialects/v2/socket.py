"""A client of `/ws/v2`. Every frame that it hears is held to docs/asyncapi.yaml."""

import itertools
import json
from typing import Any

from tests.support.asyncapi import check, names
from tests.support.clients import Person, Socket
from tests.support.server import Server


class V2Socket(Socket):
    """`async with V2Socket(server, person) as socket:`; `HELLO` has been read."""

    def __init__(self, server: Server, person: Person, **options: Any) -> None:
        super().__init__(f"{server.ws_url}/v2", person.token, **options)
        self._ids = itertools.count(1)
        self._known = names("v2Send")

    async def __aenter__(self) -> "V2Socket":
        await super().__aenter__()
        self.hello = await self.frame()
        assert self.hello["event"] == "HELLO"
        return self

    async def frame(self) -> dict[str, Any]:
        found = await super().frame()
        check(self._known[found["event"]], found)
        return found

    async def ask(self, event: str, **data: Any) -> Any:
        """Sends a message, and returns the data of its `OK`, or the code of its `ERROR`. Nothing else comes before."""
        *others, answer = await self.asked(event, **data)
        assert others == [], others
        return answer

    async def asked(self, event: str, **data: Any) -> list[Any]:
        """Sends a message; the frames that come until its answer, then what `ask` returns.

        `STARTED` is left out: of a session that was started by REST it comes a moment after that answer.
        """
        request_id = next(self._ids)
        data = {name.rstrip("_"): value for name, value in data.items()}
        await self.send_raw(json.dumps({"event": event, "data": data, "id": request_id}))
        heard: list[Any] = []
        while True:
            found = await self.frame()
            if "id" in found:
                assert found["id"] == request_id
                return [*heard, found.get("data") if found["event"] == "OK" else found["data"]["code"]]
            if found["event"] != "STARTED":
                heard.append(found)

    async def until(self, event: str) -> dict[str, Any]:
        """The next frame of this event; others are passed over."""
        while True:
            found = await self.frame()
            if found["event"] == event:
                return found

    async def hears_nothing(self) -> None:
        """Nothing came since the last frame that was read."""
        assert (await self.asked("PING", t=1))[:-2] == []
