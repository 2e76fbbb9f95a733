"""The admin for tests: a school to look at in it, people's browsers, and what its pages say."""

from typing import Any

from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import User
from attendance import services
from attendance.enums import Method, Status
from attendance.journal import NewMark
from attendance.live.commit import Unit, commit
from attendance.models import Attendance, Mark, Session
from classes.models import Class, Enrolment
from core.identity import Actor, Role
from tests.support.http import Client

USERS, CLASSES, ROSTERS = "/admin/accounts/user/", "/admin/classes/class/", "/admin/classes/enrolment/"
SESSIONS, MARKS, RECORDS = (f"/admin/attendance/{model}/" for model in ("session", "mark", "attendance"))
LISTS = (USERS, CLASSES, ROSTERS, SESSIONS, MARKS, RECORDS)
MODELS = {USERS: User, CLASSES: Class, ROSTERS: Enrolment, SESSIONS: Session, MARKS: Mark, RECORDS: Attendance}


def make_user(name: str, role: Role = Role.STUDENT, **fields: Any) -> User:
    user = User(name=name, email=f"{name.lower()}@example.com", role=role, password="!", **fields)
    user.save()
    return user


def make_class(name: str, teacher: User, *students: User) -> Class:
    found = Class.objects.create(name=name, teacher=teacher)
    for student in students:
        Enrolment.objects.create(class_ref=found, student=student)
    return found


def make_session(found: Class, end: bool = True, **statuses: Status) -> Session:
    """A session in which the students of these names, in lower case, are marked."""
    teacher = found.teacher
    actor = Actor(teacher.id, Role.TEACHER, teacher.name, teacher.email)
    session = services.session_start(actor=actor, class_id=found.id)
    marks = [
        NewMark(
            session_id=session.id,
            student_id=User.objects.get(email=f"{name}@example.com").id,
            status=status,
            at=timezone.now(),
            by_id=teacher.id,
            method=Method.TEACHER,
        )
        for name, status in statuses.items()
    ]
    commit([Unit(marks)])
    return services.session_end(session_id=session.id) if end else Session.objects.get(pk=session.pk)


class World:
    """Physics of Tara with Asha and Ben, once finished; Chemistry of Uma with Cleo, live."""

    def __init__(self) -> None:
        self.tara, self.uma = make_user("Tara", Role.TEACHER), make_user("Uma", Role.TEACHER)
        self.asha, self.ben = make_user("Asha", roll_number="A-1"), make_user("Ben", is_active=False)
        self.cleo = make_user("Cleo")
        self.physics = make_class("Physics", self.tara, self.asha, self.ben)
        self.chemistry = make_class("Chemistry", self.uma, self.cleo)
        self.finished = make_session(self.physics, asha=Status.PRESENT)
        self.live = make_session(self.chemistry, end=False, cleo=Status.LATE)


def sign_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def staff(name: str, *permissions: str) -> Client:
    """The browser of somebody on the staff with these permissions."""
    user = make_user(name, Role.TEACHER, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return sign_in(user)


def listed(page: Client, url: str, **query: str) -> set[str]:
    answer = page.get(url, query)
    assert answer.status_code == 200, answer
    return {str(row) for row in answer.context["cl"].result_list}


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


def form_errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200, f"no form came back: {answer}"
    return dict(answer.context["adminform"].form.errors)


def messages_of(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def class_form(name: str, teacher: User, add: list[User]) -> dict[str, str]:
    form = {
        "name": name,
        "teacher": teacher.pk,
        "enrolments-TOTAL_FORMS": str(len(add)),
        "enrolments-INITIAL_FORMS": "0",
    }
    return form | {f"enrolments-{number}-student": student.pk for number, student in enumerate(add)}


def save_class(page: Client, found: Class, **changes: Any) -> Any:
    values = {"name": found.name, "teacher": found.teacher, "add": [], **changes}
    return page.post(f"{CLASSES}{found.pk}/change/", class_form(**values))


def version_of(found: Class) -> int:
    return Class.objects.get(pk=found.pk).roster_version


class Opened:
    """A page that somebody has open, with what its form shows."""

    def __init__(self, browser: Client, url: str, row: Any) -> None:
        self.browser, self.url = browser, f"{url}{row.pk}/change/"
        self.form = self._form(browser.get(self.url))

    def _form(self, answer: Any) -> dict[str, Any]:
        assert answer.status_code == 200, answer
        form: dict[str, Any] = {}
        formsets = [inline.formset for inline in answer.context["inline_admin_formsets"]]
        shown = [formset.management_form for formset in formsets] + [one for each in formsets for one in each.forms]
        for part in [answer.context["adminform"].form, *shown]:
            for field in part:
                value = field.value()
                if value is not None and value is not False and value != "":
                    form[field.html_name] = "on" if value is True else value
        return form

    def save(self, **fields: Any) -> Any:
        """Saves the page as it was opened, but for these fields; None empties one."""
        form = {name: value for name, value in {**self.form, **fields}.items() if value is not None}
        answer = self.browser.post(self.url, form)
        if answer.status_code == 200:
            self.form = self._form(answer)
        return answer
