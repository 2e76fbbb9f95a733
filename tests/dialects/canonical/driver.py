"""The canonical protocol: REST starts a lesson, /ws does the rest."""

from contextlib import asynccontextmanager
from typing import ClassVar

from tests.dialects import drivers
from tests.support.clients import Person, Socket


class Listener(drivers.Listener):
    def __init__(self, socket: Socket) -> None:
        self.socket = socket

    async def mark(self) -> tuple[str, str]:
        while (frame := await self.socket.frame())["event"] != "ATTENDANCE_MARKED":
            pass
        return frame["data"]["studentId"], frame["data"]["status"]


class Driver(drivers.Driver):
    package: ClassVar[str | None] = None

    def socket(self, person: Person) -> Socket:
        return Socket(self.server.ws_url, person.token)

    async def start(self) -> None:
        self.room.start()

    async def mark(self, student: Person, status: str) -> None:
        async with self.socket(self.room.teacher) as socket:
            await socket.mark(student.id, status)
            await socket.frame()

    async def summary(self) -> tuple[int, list[str]]:
        async with self.socket(self.room.teacher) as socket:
            await socket.send("TODAY_SUMMARY")
            return (await socket.frame())["data"]["present"], []

    async def own_status(self, student: Person) -> str | None:
        async with self.socket(student) as socket:
            await socket.send("MY_ATTENDANCE")
            status: str = (await socket.frame())["data"]["status"]
            return None if status == "not yet updated" else status

    async def finish(self) -> None:
        async with self.socket(self.room.teacher) as socket:
            await socket.send("DONE")
            await socket.frame()

    @asynccontextmanager
    async def listen(self, person: Person) -> drivers.Listening:
        async with self.socket(person) as socket:
            yield Listener(socket)
