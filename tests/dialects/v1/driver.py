"""`/api/v1`: its own routes start and read, and the canonical socket marks."""

from tests.dialects.canonical import driver as canonical
from tests.support.clients import Person


class Driver(canonical.Driver):
    package = "dialects.v1"

    async def start(self) -> None:
        # The class is named by its name: it is the newest of the teacher's classes with this name.
        started = self.room.teacher.data("POST", "/api/v1/attendance/start", {"className": self.room.name})
        assert started["_id"] == self.room.class_id

    async def own_status(self, student: Person) -> str | None:
        return await self.record(student)

    async def record(self, student: Person) -> str | None:
        answer = student.data("GET", f"/api/v1/attendance/{self.room.class_id}/my-attendance")
        status: str | None = answer["status"]
        return status
