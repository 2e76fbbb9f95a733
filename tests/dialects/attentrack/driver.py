"""A lesson as AttenTrack's app takes it, for the test that every protocol leaves the same records."""

from typing import Any

from attendance.enums import Status
from tests.dialects.attentrack.app import App, AppSocket
from tests.support.clients import Room

INSTANT = "2025-05-17T10:00:00.000Z"
CODE = "482913"


class Driver:
    """Drives `room` on the server at `url`. Its students must have roll numbers: `roll_numbers`, by their ids.

    The app knows present alone while a lesson runs; it brings the absent with the record that ends it.
    """

    name = "attentrack"

    def __init__(self, url: str, room: Room, roll_numbers: dict[str, str]) -> None:
        self.room, self.roll_numbers = room, roll_numbers
        self.teacher = App(url, room.teacher.token)
        self.students = {student.id: App(url, student.token) for student in room.students}
        self.statuses: dict[str, str] = {}
        self.desk: AppSocket

    async def start(self) -> None:
        """The class is live, with a code."""
        self.desk = await self.teacher.socket().__aenter__()
        self.teacher.ask("POST", "/setAttendance", {"otp": CODE, "time": 60, "id": self.room.class_id})

    async def mark(self, student_id: str, status: str) -> None:
        """A student marks themself present, heard at the desk; who is absent is so in the record."""
        self.statuses[student_id] = status
        if status != Status.PRESENT:
            return
        async with self.students[student_id].socket() as phone:
            await phone.send("attendance", rollNumber=self.roll_numbers[student_id], otp=CODE)
            frame = await phone.frame()
            assert frame == {"type": "attendance2", "rollNumber": self.roll_numbers[student_id]}
            assert await self.desk.frame() == frame

    async def summary(self) -> dict[str, int]:
        """The app counts for itself."""
        present = list(self.statuses.values()).count(Status.PRESENT)
        return {"present": present, "absent": len(self.statuses) - present, "total": len(self.statuses)}

    async def own_status(self, student_id: str) -> str | None:
        """The student's status in the last record; None before one is finished."""
        body = {"class_id": self.room.class_id, "rollNumber": self.roll_numbers[student_id]}
        found = self.students[student_id].ask("POST", "/api/student/attendance", body)["attendanceMap"]
        return None if not found else "present" if found[-1]["status"] else "absent"

    async def finish(self) -> dict[str, int]:
        """The record that ends the lesson; its counts."""
        records = {self.roll_numbers[key]: status == Status.PRESENT for key, status in self.statuses.items()}
        body = {"class_id": self.room.class_id, "date": INSTANT, "records": records}
        made = self.teacher.ask("POST", "/api/attendance/createAttendance", body, status=201)
        await self.desk.__aexit__()
        present = sum(made["attendance"]["records"].values())
        total = len(made["attendance"]["records"])
        return {"present": present, "absent": total - present, "total": total}

    async def read_back(self) -> dict[str, str]:
        """Each student's status in the record, by id, as the teacher reads it."""
        days: dict[str, Any] = {"class_id": self.room.class_id, "startDate": INSTANT, "endDate": INSTANT}
        record = self.teacher.ask("POST", "/api/teacher/overall-records", days)[-1]["id"]
        found = self.teacher.ask("GET", f"/api/attendance/specific-record?id={record}")
        by_roll = {roll_number: key for key, roll_number in self.roll_numbers.items()}
        return {by_roll[roll_number]: "present" if there else "absent" for roll_number, there in found.items()}
