"""A school for a running server. It is written to the database directly: no code is mailed, no password hashed."""

from dataclasses import dataclass

from accounts.models import User
from classes.models import Class, Enrolment
from core.times import now
from tests.dialects.attentrack.app import App
from tests.support.clients import make_token
from tests.support.server import Server


@dataclass
class LiveSchool:
    """A teacher's class with two students, roll numbers `A1` and `A2`; another teacher and another student, `A3`."""

    server: Server
    class_id: str
    teacher: App
    other_teacher: App
    students: list[App]
    ids: list[str]

    def open(self, otp: object = "123456", time: object = 60) -> None:
        self.teacher.ask("POST", "/setAttendance", {"otp": otp, "time": time, "id": self.class_id})

    def disable(self, number: int) -> None:
        """Disables a student, counted from 0."""

        def disable() -> None:
            user = User.objects.get(pk=self.ids[2 + number])
            user.is_active = False
            user.save()

        self.server.database.ask(disable)

    def close(self) -> None:
        for app in (self.teacher, self.other_teacher, *self.students):
            app.close()


def make_school(server: Server, *, with_tokens: bool = True) -> LiveSchool:
    def make() -> tuple[str, list[tuple[str, str]]]:
        tag = User.objects.count()
        people = [
            User(name=name, email=f"{name}{tag}@example.com", role=role, roll_number=roll, password="!")
            for name, role, roll in (
                ("Tess", "teacher", None),
                ("Theo", "teacher", None),
                ("Asha", "student", f"A1-{tag}"),
                ("Ben", "student", f"A2-{tag}"),
                ("Chen", "student", f"A3-{tag}"),
            )
        ]
        for person in people:
            person.email_verified_at = now()
            person.save(force_insert=True)
        made = Class.objects.create(name=f"Physics {tag}", teacher=people[0])
        for student in people[2:4]:
            Enrolment.objects.create(class_ref=made, student=student)
        return made.id, [(person.id, str(person.role)) for person in people]

    class_id, people = server.database.ask(make)
    apps = [App(server.url, make_token(key, role) if with_tokens else None) for key, role in people]
    return LiveSchool(server, class_id, apps[0], apps[1], apps[2:], [key for key, _ in people])


def roll_number(server: Server, user_id: str) -> str:
    return str(server.database.ask(lambda: User.objects.values_list("roll_number", flat=True).get(pk=user_id)))
