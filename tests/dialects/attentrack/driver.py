"""AttenTrack: REST starts and ends a lesson, a socket marks. Students have roll numbers; nobody is marked absent.

The app counts for itself: all it knows of a lesson under way is what its socket has heard.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from accounts.models import User
from core.times import now, to_iso
from tests.dialects import drivers
from tests.dialects.attentrack.app import App, AppSocket
from tests.support.clients import Person, Room
from tests.support.server import Server


def roll_number(student_id: str) -> str:
    return f"R{student_id}"


class Listener(drivers.Listener):
    def __init__(self, socket: AppSocket) -> None:
        self.socket = socket

    async def mark(self) -> tuple[str, str]:
        while (frame := await self.socket.frame())["type"] != "attendance2":
            pass
        return frame["rollNumber"].removeprefix("R"), "present"


class Driver(drivers.Driver):
    package = "dialects.attentrack"
    marks_absent = False
    hears_absent = False

    def __init__(self, server: Server, room: Room) -> None:
        super().__init__(server, room)
        self.heard: list[str] = []

        def number() -> None:
            for student in room.students:
                User.objects.filter(pk=student.id).update(roll_number=roll_number(student.id))

        server.database.ask(number)

    def app(self, person: Person) -> App:
        return App(self.server.url, person.token)

    async def start(self) -> None:
        body = {"otp": 482913, "time": 60, "id": self.room.class_id}
        assert self.app(self.room.teacher).ask("POST", "/setAttendance", body) == "OTP and Final Time set"

    async def mark(self, student: Person, status: str) -> None:
        assert status == "present"
        async with self.listen(self.room.teacher) as desk:
            await desk.socket.send("attendance", rollNumber=roll_number(student.id))
            assert await desk.mark() == (student.id, "present")
        self.heard.append(student.id)

    async def summary(self) -> tuple[int, list[str]]:
        return len(self.heard), self.heard

    async def own_status(self, student: Person) -> str | None:
        return "present" if student.id in self.heard else None

    async def finish(self) -> None:
        records = {roll_number(student_id): True for student_id in self.heard}
        body = {"class_id": self.room.class_id, "date": to_iso(now()), "records": records}
        self.app(self.room.teacher).ask("POST", "/api/attendance/createAttendance", body, status=201)

    async def record(self, student: Person) -> str | None:
        body = {"class_id": self.room.class_id, "rollNumber": roll_number(student.id)}
        found = self.app(student).ask("POST", "/api/student/attendance", body)["attendanceMap"]
        return None if not found else "present" if found[-1]["status"] else "absent"

    @asynccontextmanager
    async def listen(self, person: Person) -> AsyncIterator[Listener]:
        async with self.app(person).socket() as socket:
            yield Listener(socket)
