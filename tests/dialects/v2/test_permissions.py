"""Who may use which route of `/api/v2`, as one table. A route or method without a row fails the suite."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from accounts.models import User
from accounts.selectors import actor_of
from attendance.excuses import Span, excuse_add
from attendance.merging import students_merge
from attendance.models import Attendance, Excuse, Merge, Session
from attendance.services import session_end, session_open
from classes.holidays import holiday_add
from classes.models import Enrolment, Holiday
from core.times import today
from dialects.v2.urls import urlpatterns
from notices.models import Webhook
from notices.webhooks import webhook_create
from tests.api.rest import make_user, snapshot, token_of, unlimited
from tests.dialects.v2.rest import School, V2Rest
from tests.support.database import Unblock

pytestmark = [
    pytest.mark.early,
    pytest.mark.one_database(
        "Permissions stand above the database; what they let through, the contract's tests do on each."
    ),
]

WHO = ("nobody", "bad token", "owner", "co-teacher", "other teacher", "student", "left", "stranger", "office")

Row = tuple[int | str, ...]
OUT = ("unauthorized", "unauthorized")
CLASS, SESSION, RECORD, STUDENT = "class_not_found", "session_not_found", "record_not_found", "student_not_found"
EXCUSE = "excuse_not_found"


def anyone(answer: int | str) -> Row:
    return (answer,) * len(WHO)


def signed_in(answer: int | str) -> Row:
    return (*OUT, *(answer,) * 7)


def teachers(answer: int | str, unknown: str) -> Row:
    """For the teachers of the class; its students may know of it, and others may not.

    Who has left knows the class, and of its sessions and records only their own.
    """
    left = "teachers_only" if unknown == CLASS else unknown
    return (*OUT, answer, answer, unknown, "teachers_only", left, unknown, answer)


def owner(answer: int | str, unknown: str) -> Row:
    return (*OUT, answer, "owner_only", unknown, "teachers_only", "teachers_only", unknown, answer)


def members(answer: int | str, unknown: str) -> Row:
    left = answer if unknown == CLASS else unknown
    return (*OUT, answer, answer, unknown, answer, left, unknown, answer)


def office(answer: int | str) -> Row:
    return (*OUT, *("superuser_only",) * 6, answer)


ALL_TEACHERS = (*OUT, 200, 200, 200, "teacher_only", "teacher_only", "teacher_only", 200)

#: (name of the route, method): an answer for each of WHO. A number is a success, words are a failure's code.
TABLE: Mapping[tuple[str, str], Row] = {
    ("v2-login", "POST"): anyone(200),
    ("v2-card-login", "POST"): anyone("invalid_card"),
    ("v2-signup", "POST"): anyone(201),
    ("v2-forgot", "POST"): anyone(200),
    ("v2-reset", "POST"): anyone("invalid_code"),
    ("v2-password", "POST"): signed_in(200),
    ("v2-me", "GET"): signed_in(200),
    ("v2-me", "PATCH"): signed_in(200),
    ("v2-my-data", "GET"): signed_in(200),
    ("v2-classes", "GET"): ALL_TEACHERS,
    ("v2-classes", "POST"): tuple(201 if answer == 200 else answer for answer in ALL_TEACHERS),
    ("v2-class", "GET"): teachers(200, CLASS),
    ("v2-class", "PATCH"): teachers(200, CLASS),
    ("v2-class", "DELETE"): owner("class_has_sessions", CLASS),
    ("v2-teachers", "GET"): teachers(200, CLASS),
    ("v2-teachers", "POST"): owner(201, CLASS),
    ("v2-teacher", "DELETE"): owner(204, CLASS),
    ("v2-students", "GET"): teachers(200, CLASS),
    ("v2-students", "POST"): teachers(201, CLASS),
    ("v2-student", "GET"): teachers(200, CLASS),
    ("v2-student", "PATCH"): teachers(200, CLASS),
    ("v2-student", "DELETE"): teachers(204, CLASS),
    ("v2-import", "POST"): teachers("preview_not_found", CLASS),
    ("v2-sessions", "GET"): members(200, CLASS),
    ("v2-sessions", "POST"): teachers(200, CLASS),
    ("v2-session", "GET"): members(200, SESSION),
    ("v2-marks", "POST"): teachers(200, SESSION),
    ("v2-marks-import", "POST"): teachers("preview_not_found", SESSION),
    ("v2-rest", "POST"): teachers(200, SESSION),
    ("v2-undo", "POST"): teachers("nothing_to_undo", SESSION),
    ("v2-end", "POST"): teachers(200, SESSION),
    ("v2-reopen", "POST"): teachers("reopen_refused", SESSION),
    ("v2-corrections", "POST"): teachers("session_not_ended", SESSION),
    ("v2-history", "GET"): teachers(200, RECORD),
    ("v2-class-report", "GET"): teachers(200, CLASS),
    ("v2-student-report", "GET"): (*OUT, 200, 200, STUDENT, 200, STUDENT, STUDENT, 200),
    ("v2-my-attendance", "GET"): (*OUT, *("student_only",) * 3, 200, 200, 200, "student_only"),
    ("v2-student-search", "GET"): tuple("invalid_schema" if answer == 200 else answer for answer in ALL_TEACHERS),
    ("v2-merge", "POST"): office(201),
    ("v2-merge-undo", "DELETE"): office(204),
    ("v2-timetable", "GET"): teachers(200, CLASS),
    ("v2-timetable", "PUT"): teachers(200, CLASS),
    ("v2-timetable-import", "POST"): teachers("preview_not_found", CLASS),
    ("v2-settings", "GET"): teachers(200, CLASS),
    ("v2-settings", "PATCH"): teachers(200, CLASS),
    ("v2-holidays", "GET"): signed_in(200),
    ("v2-holidays", "POST"): office(201),
    ("v2-holiday", "DELETE"): office(204),
    ("v2-lessons", "GET"): signed_in(200),
    ("v2-excuses", "GET"): signed_in(200),
    ("v2-excuses", "POST"): (*OUT, *("student_only",) * 3, 201, "not_enrolled", CLASS, "student_only"),
    ("v2-excuse", "GET"): (*OUT, 200, 200, EXCUSE, 200, EXCUSE, EXCUSE, 200),
    ("v2-excuse", "PATCH"): (*OUT, 200, 200, EXCUSE, "teachers_only", EXCUSE, EXCUSE, 200),
    ("v2-school-students", "POST"): office(201),
    ("v2-school-student", "GET"): office(200),
    ("v2-school-student", "PATCH"): office(200),
    ("v2-card", "POST"): (*OUT, "office_only", "office_only", STUDENT, *("teacher_only",) * 3, 201),
    ("v2-card", "DELETE"): (*OUT, "office_only", "office_only", STUDENT, *("teacher_only",) * 3, 204),
    ("v2-school-report", "GET"): office(200),
    ("v2-webhooks", "GET"): office(200),
    ("v2-webhooks", "POST"): office(201),
    ("v2-webhook", "GET"): office(200),
    ("v2-webhook", "PATCH"): office(200),
    ("v2-webhook", "DELETE"): office(204),
    ("v2-check-in", "PUT"): teachers(200, SESSION),
    ("v2-check-in", "DELETE"): teachers(204, SESSION),
    ("v2-check-in-code", "GET"): teachers("check_in_closed", SESSION),
    ("v2-claims", "POST"): anyone("check_in_closed"),
    ("v2-self-mark", "POST"): (
        *OUT,
        *("student_only",) * 3,
        *("check_in_closed",) * 3,
        "student_only",
    ),
    ("v2-kiosk", "POST"): teachers(201, SESSION),
    ("v2-kiosk-marks", "POST"): anyone("unauthorized"),
    ("v2-flags", "GET"): teachers(200, SESSION),
    ("v2-flag", "POST"): teachers("flag_not_found", SESSION),
}

ROUTES = {
    (str(pattern.name), method): str(pattern.pattern)
    for pattern in urlpatterns
    for method in pattern.callback.by_method  # type: ignore[attr-defined]
    if method != "HEAD"
}


def test_every_route_and_method_has_a_row_and_every_row_a_route() -> None:
    assert sorted(TABLE) == sorted(ROUTES)


@dataclass(frozen=True)
class Asked:
    """What every test asks about: it is made once, and each test undoes what it changes."""

    school: School
    #: Everybody of WHO who has a token.
    people: Mapping[str, User]
    #: What a request says: (name of the route, method).
    bodies: Mapping[tuple[str, str], object]
    #: What stands in paths.
    ids: Mapping[str, str]


@pytest.fixture(scope="module")
def asked(lasting: Unblock) -> Asked:
    with lasting():
        school = School()
        return Asked(school, make_people(school), make_bodies(school), make_ids(school))


def make_bodies(school: School) -> Mapping[tuple[str, str], object]:
    ann = {"studentId": school.ann.id, "status": "present"}
    return {
        ("v2-login", "POST"): {"login": "Owner@example.com", "password": "any"},
        ("v2-signup", "POST"): {
            "name": "New",
            "email": "new@example.com",
            "password": "another horse",
            "role": "student",
        },
        ("v2-card-login", "POST"): {"code": "none"},
        ("v2-forgot", "POST"): {"login": "nobody@example.com"},
        ("v2-reset", "POST"): {"login": "nobody@example.com", "code": "000000", "password": "another horse"},
        ("v2-password", "POST"): {"old": "any", "new": "another horse"},
        ("v2-me", "PATCH"): {"name": "Other"},
        ("v2-classes", "POST"): {"className": "Art"},
        ("v2-class", "PATCH"): {"className": "Art"},
        ("v2-teachers", "POST"): {"email": school.other_teacher.email},
        ("v2-students", "POST"): {"studentId": school.stranger.id},
        ("v2-student", "PATCH"): {"until": None},
        ("v2-import", "POST"): {"token": "f" * 24},
        ("v2-marks-import", "POST"): {"token": "f" * 24},
        ("v2-marks", "POST"): {"marks": [ann]},
        ("v2-merge", "POST"): {"keep": make_user("One").id, "other": make_user("Two").id},
        ("v2-rest", "POST"): {"status": "present"},
        ("v2-school-students", "POST"): {"name": "New", "rollNumber": "077"},
        ("v2-school-student", "PATCH"): {"name": "Other"},
        ("v2-webhooks", "POST"): {"url": "https://example.com/hook", "events": ["session.ended"]},
        ("v2-webhook", "PATCH"): {"active": False},
        ("v2-check-in", "PUT"): {"mode": "rotating"},
        ("v2-claims", "POST"): {"session": "f" * 24, "code": "000000"},
        ("v2-self-mark", "POST"): {"code": "000000"},
        ("v2-flag", "POST"): {"confirm": True},
        ("v2-excuses", "POST"): {
            "classId": school.class_id,
            "from": str(today()),
            "until": str(today()),
            "note": "ill",
        },
        ("v2-timetable", "PUT"): {"slots": [{"weekday": 1, "start": "09:00", "end": "10:00"}]},
        ("v2-timetable-import", "POST"): {"token": "f" * 24},
        ("v2-settings", "PATCH"): {"threshold": 80},
        ("v2-holidays", "POST"): {"name": "Easter", "from": "2025-04-14", "until": "2025-04-25"},
        ("v2-excuse", "PATCH"): {"state": "approved"},
        ("v2-kiosk-marks", "POST"): {"code": "1"},
        ("v2-corrections", "POST"): {"changes": [{**ann, "note": "why"}]},
    }


def make_people(school: School) -> Mapping[str, User]:
    """Everybody of WHO who has a token. The class has an ended session, in which all were absent, and an open one."""
    left = make_user("Left")
    Enrolment.objects.create(
        class_ref=school.physics, student=left, since=today() - timedelta(days=9), until=today() - timedelta(days=2)
    )
    actor = actor_of(school.owner)
    first, _ = session_open(actor=actor, found=school.physics, move_focus=False)
    session_end(session_id=first.id)
    session_open(actor=actor, found=school.physics, move_focus=False)
    excuse_add(actor=actor_of(school.ann), span=Span(today(), today()), note="ill")
    webhook_create(actor=actor_of(school.office), url="https://example.com/", events=["session.ended"])
    students_merge(by_id=school.office.id, keep_id=make_user("Keep").id, other_id=make_user("Gone").id)
    holiday_add(name="Christmas", since=date(2025, 12, 22), until=date(2026, 1, 2))
    return {
        "owner": school.owner,
        "co-teacher": school.co_teacher,
        "other teacher": school.other_teacher,
        "student": school.ann,
        "left": left,
        "stranger": school.stranger,
        "office": school.office,
    }


def make_ids(school: School) -> Mapping[str, str]:
    return {
        "class_id": school.class_id,
        "session_id": Session.objects.filter(state="open").values_list("id", flat=True).get(),
        "flag_id": school.class_id,
        "merge_id": Merge.objects.values_list("id", flat=True).get(),
        "webhook_id": Webhook.objects.values_list("id", flat=True).get(),
        "holiday_id": Holiday.objects.values_list("id", flat=True).get(),
        "excuse_id": Excuse.objects.values_list("id", flat=True).get(),
        "record_id": Attendance.objects.filter(student=school.ann).values_list("id", flat=True).get(),
    }


def path_of(expression: str, asked: Asked) -> str:
    user = asked.school.co_teacher if "teachers/" in expression else asked.school.ann
    path = expression.removeprefix("^").removesuffix(r"/?\Z")
    for name, value in {**asked.ids, "user_id": user.id}.items():
        path = path.replace(f"(?P<{name}>[^/]+)", value)
    return f"/{path}"


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("name", "method"), ROUTES)
def test_each_route_answers_each_person_as_the_table_says(
    asked: Asked, rest: V2Rest, monkeypatch: pytest.MonkeyPatch, name: str, method: str, who: str
) -> None:
    for module in ("accounts.services", "accounts.credentials"):  # passwords have tests of their own
        monkeypatch.setattr(f"{module}.password_is_right", lambda *_, **__: True)
    monkeypatch.setattr("accounts.passwords.hash_password", lambda _: "!")
    expected = TABLE[name, method][WHO.index(who)]
    token = token_of(asked.people[who]) if who in asked.people else {"nobody": None, "bad token": "bad token"}[who]
    before = snapshot()
    answer = rest(method, path_of(ROUTES[name, method], asked), asked.bodies.get((name, method), {}), token=token)
    if isinstance(expected, int):
        assert answer.status == expected, answer.body
    else:
        assert answer.body["code"] == expected
        assert unlimited(snapshot()) == unlimited(before)


@pytest.mark.parametrize(
    ("name", "method"), [key for key, row in TABLE.items() if row[0] == "unauthorized" and key[0] != "v2-kiosk-marks"]
)
def test_a_disabled_person_is_nobody(asked: Asked, rest: V2Rest, name: str, method: str) -> None:
    token = token_of(asked.school.owner)
    User.objects.update(is_active=False)
    assert rest(method, path_of(ROUTES[name, method], asked), {}, token=token).body["code"] == "unauthorized"
