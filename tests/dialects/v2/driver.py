"""`/api/v2` and `/ws/v2`: the lesson is followed by its class, and has the focus so that other protocols hear it."""

from contextlib import asynccontextmanager
from typing import Any, ClassVar

from tests.dialects import drivers
from tests.dialects.v2.socket import V2Socket
from tests.support.clients import Person

#: In the two words of the other protocols.
_BASIC = {"late": "present", "excused": "absent"}


class Listener(drivers.Listener):
    def __init__(self, socket: V2Socket) -> None:
        self.socket = socket

    async def mark(self) -> tuple[str, str]:
        (mark,) = (await self.socket.until("MARKS"))["data"]["marks"]
        return mark["studentId"], _BASIC.get(mark["status"], mark["status"])


class Driver(drivers.Driver):
    package: ClassVar[str | None] = "dialects.v2"
    students_hear_others: ClassVar[bool] = False

    @property
    def session(self) -> str:
        """The id of the open session."""
        found = self.room.teacher.data("GET", f"/api/v2/classes/{self.room.class_id}/sessions?limit=1")["items"]
        return str(found[0]["_id"])

    async def ask(self, event: str, **data: Any) -> Any:
        """What the teacher is answered."""
        async with V2Socket(self.server, self.room.teacher) as socket:
            return await socket.ask(event, session=self.session, **data)

    async def start(self) -> None:
        self.room.teacher.data("POST", f"/api/v2/classes/{self.room.class_id}/sessions", {"focus": True})

    async def mark(self, student: Person, status: str) -> None:
        assert "seq" in await self.ask("MARK", marks=[{"studentId": student.id, "status": status}])

    async def summary(self) -> tuple[int, list[str]]:
        shown = self.room.teacher.data("GET", f"/api/v2/sessions/{self.session}")
        present = [line["_id"] for line in shown["roster"] if line["status"] in ("present", "late")]
        return shown["counts"]["present"] + shown["counts"]["late"], present

    async def own_status(self, student: Person) -> str | None:
        (line,) = student.data("GET", f"/api/v2/sessions/{self.session}")["roster"]
        status: str | None = line["status"]
        return None if status is None else _BASIC.get(status, status)

    async def finish(self) -> None:
        assert "counts" in await self.ask("END")

    @asynccontextmanager
    async def listen(self, person: Person) -> drivers.Listening:
        async with V2Socket(self.server, person) as socket:
            await socket.asked("FOLLOW", class_=self.room.class_id)
            yield Listener(socket)
