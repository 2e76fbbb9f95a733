"""The rooms dialect. It does everything over Socket.IO, and calls the session by the class's id."""

from contextlib import asynccontextmanager
from typing import Any

from tests.dialects import drivers
from tests.support.clients import Person
from tests.support.socketio import SocketIo, rooms_socket


class Listener(drivers.Listener):
    def __init__(self, socket: SocketIo) -> None:
        self.socket = socket

    async def mark(self) -> tuple[str, str]:
        while (heard := await self.socket.hear())[0] != "attendanceUpdated":
            pass
        return heard[1]["student_id"], heard[1]["status"]


class Driver(drivers.Driver):
    package = "dialects.rooms"

    async def ask(self, event: str, **payload: Any) -> Any:
        async with rooms_socket(self.server.url, self.room.teacher.token) as socket:
            answer = await socket.call(event, {"session_id": self.room.class_id, **payload})
            assert "message" not in answer, answer
            return answer

    async def start(self) -> None:
        await self.ask("startAttendanceSession")

    async def mark(self, student: Person, status: str) -> None:
        event = "markStudentPresent" if status == "present" else "markStudentAbsent"
        await self.ask(event, student_id=student.id)

    async def summary(self) -> tuple[int, list[str]]:
        data = await self.ask("getAttendanceSessionData")
        present = [entry["student_id"] for entry in data["attendanceRecords"] if entry["status"] == "present"]
        return data["statistics"]["present"], present

    async def own_status(self, student: Person) -> str | None:
        data = await self.ask("getAttendanceSessionData")
        statuses = {entry["student_id"]: entry["status"] for entry in data["attendanceRecords"]}
        status: str | None = statuses[student.id]
        return status

    async def finish(self) -> None:
        await self.ask("endAttendanceSession")

    async def record(self, student: Person) -> str | None:
        return await self.own_status(student)

    @asynccontextmanager
    async def listen(self, person: Person) -> drivers.Listening:
        event = "getAttendanceSessionData" if person.role == "teacher" else "joinAttendanceSession"
        async with rooms_socket(self.server.url, person.token) as socket:
            answer = await socket.call(event, {"session_id": self.room.class_id})
            assert answer["session_id"] == self.room.class_id, answer
            yield Listener(socket)
