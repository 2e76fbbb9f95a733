"""A school to look at: what the demo has, a check-in with a student to be looked at, an office, and a hostile class.

Stories that look at every page, `make screenshots` and `make bench-pages` share it.
"""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from accounts.invitations import invitation_print
from accounts.models import User
from accounts.selectors import actor_of
from attendance import check_ins, samples
from attendance.check_in import Answer, CheckInOptions, Mode
from attendance.enums import SessionState
from attendance.models import Flag, Session
from classes.models import Class
from classes.selectors import student_ids
from core.identity import Role
from tests.support.browser import Browser
from tests.support.clients import PASSWORD
from tests.support.database import Database
from tests.support.http import Client
from tests.support.server import Server

CLASS, OTHER_CLASS = "Physics 7B", "Chemistry 8A"
#: Longer than any screen is wide, and nowhere to break.
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 7


def _person(name: str, email: str, role: Role, **fields: Any) -> User:
    user = User(name=name, email=email, role=role, **fields)
    user.set_password(PASSWORD)
    user.save(force_insert=True)
    return user


@dataclass
class DemoSchool:
    """Made in `database`: a teacher with two classes of thirty students, one of them live; a student; the office."""

    database: Database
    people: dict[str, User] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.database.ask(self._make)

    def _make(self) -> None:
        teacher = _person("Maya Lindqvist", "maya@demo.example.com", Role.TEACHER)
        office = _person("School office", "office@demo.example.com", Role.TEACHER, is_staff=True, is_superuser=True)
        actor = actor_of(teacher)
        class_id = samples.sample_school(actor, name=CLASS)
        samples.sample_school(actor, name=OTHER_CLASS)
        samples.live_session(actor, class_id)
        open_session = Session.objects.get(class_ref_id=class_id, state=SessionState.OPEN)
        ended = Session.objects.filter(class_ref_id=class_id, state=SessionState.ENDED).latest("started_at")
        student = User.objects.get(pk=student_ids(class_id)[0])
        check_ins.check_in_open(
            session_id=open_session.id, options=CheckInOptions(mode=Mode.ROTATING, same_device=Answer.FLAG)
        )
        flagged = student_ids(class_id)[1]
        Flag.objects.create(session=open_session, student_id=flagged, kind=Flag.Kind.OTHER_DEVICE, other=student)
        invitation_print(role=Role.STUDENT, made_by=office)
        self.people = {"teacher": teacher, "student": student, "office": office}
        self.places = {
            "{class}": class_id,
            "{student}": student.id,
            "{session}": open_session.id,
            "{ended}": ended.id,
        }

    def lengthen(self) -> None:
        """Names become the longest that there are."""

        def rename() -> None:
            Class.objects.filter(pk=self.places["{class}"]).update(name=LONG)
            User.objects.filter(pk__in=[user.id for user in self.people.values()]).update(name=LONG)
            User.objects.filter(pk=self.people["student"].id).update(roll_number=LONG[:64])

        self.database.ask(rename)

    def path(self, path: str) -> str:
        """The path below /app/ of a page of this school's, whose ids stand in braces."""
        for place, value in self.places.items():
            path = path.replace(place, value)
        return f"/app/{path}"


def sign_in(browser: Browser, server: Server, user: User | None, language: str | None = None) -> None:
    """Gives the browser a session of the person's, as a sign-in would, and a language; None is nobody.

    Stories of signing in use the form.
    """

    def begin(person: User) -> str:
        client = Client()
        client.force_login(person)
        return str(client.cookies[settings.SESSION_COOKIE_NAME].value)

    browser.forget_cookies()
    cookies = {} if user is None else {settings.SESSION_COOKIE_NAME: server.database.ask(lambda: begin(user))}
    if language is not None:
        cookies[settings.LANGUAGE_COOKIE_NAME] = language
    browser.remember(server.url, cookies)
