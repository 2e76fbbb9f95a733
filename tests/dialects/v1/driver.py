"""`/api/v1`: it starts and reads on its own routes, and marks on the canonical socket."""

from tests.dialects.canonical import driver as canonical
from tests.support.clients import Person


class Driver(canonical.Driver):
    package = "dialects.v1"

    async def start(self) -> None:
        # By its name: the class is the newest of the teacher's that have it.
        started = self.room.teacher.data("POST", "/api/v1/attendance/start", {"className": self.room.name})
        assert started["_id"] == self.room.class_id

    async def own_status(self, student: Person) -> str | None:
        return await self.record(student)

    async def record(self, student: Person) -> str | None:
        answer = student.data("GET", f"/api/v1/attendance/{self.room.class_id}/my-attendance")
        status: str | None = answer["status"]
        return status
