"""AttenTrack's routes through Django's test client, and a school as its app knows one."""

import json
from dataclasses import dataclass, field
from typing import Any

from accounts.models import StudentProfile, TeacherProfile, User
from accounts.passwords import from_bcrypt
from attendance.models import Session
from classes.models import Class, Enrolment
from core.times import now
from tests.api.rest import Answer, Rest, make_user, token_of

PASSWORD = "secret1"
#: The hash of PASSWORD at the lowest cost: a check takes a millisecond.
HASH = str(from_bcrypt("$2b$04$mvF3oW7HBgPBTXAdsA6LN.LAVoM0BqUEogJF12hD8ltj.51Bo0hkS"))


class Bare(Rest):
    """The routes. Each answer is checked to be JSON without an envelope, `{"error": …}` alone, or text."""

    scheme = "Bearer "

    def read(self, path: str, response: Any) -> Answer:
        if response.status_code == 204:
            assert response.content == b""
            return Answer(response, 204, None)
        if response["Content-Type"].startswith("text/plain"):
            return Answer(response, response.status_code, response.content.decode())
        assert response["Content-Type"] == "application/json; charset=utf-8", response.content
        parsed = json.loads(response.content)
        if response.status_code >= 400:
            assert list(parsed) == ["error"], parsed
        return Answer(response, response.status_code, parsed)


def verified(user: User) -> User:
    user.email_verified_at = now()
    user.save()
    return user


@dataclass
class AttenTrackSchool:
    """A teacher's class of two students, roll numbers 1 and 2; another teacher and another student, roll number 3."""

    owner: User = field(default_factory=lambda: verified(make_user("Owner", "teacher")))
    other_teacher: User = field(default_factory=lambda: make_user("Other", "teacher"))
    student: User = field(default_factory=lambda: verified(make_user("Asha", roll_number="1")))
    second: User = field(default_factory=lambda: make_user("Ben", roll_number="2"))
    other_student: User = field(default_factory=lambda: make_user("Chen", roll_number="3"))

    def __post_init__(self) -> None:
        TeacherProfile.objects.create(user=self.owner, department="Physics")
        StudentProfile.objects.create(user=self.student, batch="2026")
        self.physics = Class.objects.create(
            name="Physics", teacher=self.owner, batch="2026", semester="3", department="Science"
        )
        for student in (self.student, self.second):
            Enrolment.objects.create(class_ref=self.physics, student=student)

    @property
    def class_id(self) -> str:
        return str(self.physics.id)

    def record(self, rest: Bare, date: str = "2025-05-17T10:00:00.000Z", **records: bool) -> str:
        """Sends in a record of the class by roll number (`r1=True`), and returns its id."""
        body = {"class_id": self.class_id, "date": date, "records": {key[1:]: value for key, value in records.items()}}
        answer = rest.post("/api/attendance/createAttendance", body, token=token_of(self.owner))
        assert answer.status == 201, answer.body
        return str(answer.body["attendance"]["_id"])

    def sessions(self) -> list[Session]:
        return list(Session.objects.filter(class_ref=self.physics).order_by("started_at", "id"))
