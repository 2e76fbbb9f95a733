"""The events dialect. REST starts its sessions, and it cannot mark anybody absent."""

from contextlib import asynccontextmanager

from tests.dialects import drivers
from tests.support.clients import Person
from tests.support.socketio import SocketIo, events_socket


class Listener(drivers.Listener):
    def __init__(self, socket: SocketIo) -> None:
        self.socket = socket

    async def mark(self) -> tuple[str, str]:
        while (heard := await self.socket.hear())[0] != "ATTENDANCE_MARKED":
            pass
        return heard[1]["studentId"], heard[1]["status"]


class Driver(drivers.Driver):
    package = "dialects.events"
    marks_absent = False

    def socket(self, person: Person) -> SocketIo:
        return events_socket(self.server.url, person.token)

    async def start(self) -> None:
        self.room.start()

    async def mark(self, student: Person, status: str) -> None:
        assert status == "present"
        async with self.socket(self.room.teacher) as socket:
            answer = await socket.call("MARK_ATTENDANCE", {"studentId": student.id})
            assert answer == {"studentId": student.id, "status": "present"}

    async def summary(self) -> tuple[int, list[str]]:
        async with self.socket(self.room.teacher) as socket:
            answer = await socket.call("GET_TODAY_SUMMARY")
            return answer["presentCount"], answer["presentStudentIds"]

    async def own_status(self, student: Person) -> str | None:
        async with self.socket(student) as socket:
            status: str | None = (await socket.call("CHECK_MY_STATUS"))["status"]
            return status

    async def finish(self) -> None:
        async with self.socket(self.room.teacher) as socket:
            answer = await socket.call("DONE")
            assert answer["classId"] == self.room.class_id

    @asynccontextmanager
    async def listen(self, person: Person) -> drivers.Listening:
        async with self.socket(person) as socket:
            yield Listener(socket)
