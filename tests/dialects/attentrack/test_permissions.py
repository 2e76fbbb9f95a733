"""Who may use which route, in both trust modes, as one table."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import get_resolver

from core.rest.permissions import Audience
from tests.api.permissions import routes
from tests.api.rest import UNKNOWN_ID, make_user, snapshot, token_of
from tests.dialects.attentrack.bare import AttenTrackSchool, Bare
from tests.support.database import Unblock

pytestmark = pytest.mark.one_database(
    "Permissions stand above the database; what they let through, the contract's tests do on each."
)

WHO = ("nobody", "bad token", "owner", "other teacher", "student", "other student", "superuser")

#: Refusals: (status, words).
OUT = (401, "Unauthorized access")
NO = (403, "Forbidden")
Cell = int | tuple[int, str]

#: One cell for each of WHO.
ANYONE: tuple[Cell, ...] = (200,) * 7
TEACHERS: tuple[Cell, ...] = (OUT, OUT, 200, 200, NO, NO, 200)
OWNER: tuple[Cell, ...] = (OUT, OUT, 200, NO, NO, NO, NO)
STUDENT: tuple[Cell, ...] = (OUT, OUT, NO, NO, 200, NO, NO)
STUDENTS: tuple[Cell, ...] = (OUT, OUT, NO, NO, 200, 200, NO)
SUPERUSER: tuple[Cell, ...] = (OUT, OUT, NO, NO, NO, NO, 200)
#: Whether ATTENTRACK_OPEN opens a route to everybody.
OPEN, SHUT = True, False

#: By a route's name: its method, its path, the answers to WHO in the default mode, whether ATTENTRACK_OPEN opens it.
#: 200 stands for any success. The fixture `ask` fills in `{…}`.
TABLE: dict[str, tuple[str, str, tuple[Cell, ...], bool]] = {
    "root": ("GET", "/", ANYONE, OPEN),
    "set": ("POST", "/setAttendance", OWNER, OPEN),
    "get": ("GET", "/getAttendance", (OUT, OUT, 200, 200, 200, 200, 200), OPEN),
    "student-register": ("POST", "/api/student/register", ANYONE, OPEN),
    "student-verify-otp": ("POST", "/api/student/verify-otp", (OUT,) * 7, OPEN),
    "student-login": ("POST", "/api/student/login", ANYONE, OPEN),
    "student-otp-generate": ("POST", "/api/student/otp-generate", ANYONE, OPEN),
    "student-token-login": ("GET", "/api/student/token-login", STUDENTS, SHUT),
    "student-classes-info": ("GET", "/api/student/classes-info/{student}", STUDENT, OPEN),
    "student-forgot": ("POST", "/api/student/forgot", (OUT,) * 7, OPEN),
    "student-change": ("POST", "/api/student/change", STUDENT, OPEN),
    "student-update": ("PUT", "/api/student/update", STUDENT, OPEN),
    "own-attendance": ("POST", "/api/student/attendance", STUDENT, OPEN),
    "own-attendances": ("GET", "/api/student/attendance/1", STUDENT, OPEN),
    "teacher-register": ("POST", "/api/teacher/register", ANYONE, OPEN),
    "teacher-verify-otp": ("POST", "/api/teacher/verify-otp", (OUT,) * 7, OPEN),
    "teacher-login": ("POST", "/api/teacher/login", ANYONE, OPEN),
    "teacher-otp-generate": ("POST", "/api/teacher/otp-generate", ANYONE, OPEN),
    "teacher-token-login": ("GET", "/api/teacher/token-login", TEACHERS, SHUT),
    "teacher-classes-info": ("GET", "/api/teacher/classes-info/{owner}", OWNER, OPEN),
    "teacher-forgot": ("POST", "/api/teacher/forgot", (OUT,) * 7, OPEN),
    "teacher-change": ("POST", "/api/teacher/change", OWNER, OPEN),
    "teacher-update": ("PUT", "/api/teacher/update", OWNER, OPEN),
    "records": ("POST", "/api/teacher/records", OWNER, OPEN),
    "overall-records": ("POST", "/api/teacher/overall-records", OWNER, OPEN),
    "create-attendance": ("POST", "/api/attendance/createAttendance", OWNER, OPEN),
    "specific-record": ("GET", "/api/attendance/specific-record?id={record}", OWNER, OPEN),
    "change-record": ("PATCH", "/api/attendance/change-specific-record", OWNER, OPEN),
    "delete-record": ("DELETE", "/api/attendance/delete-record?id={record}", OWNER, OPEN),
    "create-class": ("POST", "/api/class/create-class", OWNER, OPEN),
    "class-list": ("GET", "/api/class/getList/{class}", OWNER, OPEN),
    "remove-class": ("DELETE", "/api/class/remove/{class}", OWNER, OPEN),
    "add-teacher": ("POST", "/api/superadmin/add-teacher", SUPERUSER, SHUT),
    "add-teachers": ("POST", "/api/superadmin/add-teachers", SUPERUSER, SHUT),
}
CELLS = [
    pytest.param(name, who, cell, id=f"{name} by {who}")
    for name, (_, _, row, _) in TABLE.items()
    for who, cell in zip(WHO, row, strict=True)
]


def body_of(name: str, school: "AskedSchool") -> Any:
    dates = {"startDate": "2025-05-01", "endDate": "2025-05-31"}
    passwords = {"oldPassword": "secret1", "newPassword": "secret2"}
    new = {"email": "new@example.com", "fullName": "New", "department": "Maths"}
    bodies: dict[str, Any] = {
        "set": {"otp": "1", "time": 1, "id": school.class_id},
        "student-register": {"email": "waiting@example.com"},
        "student-verify-otp": {"email": "waiting@example.com", "password": "secret1", "otp": 123456},
        "student-login": {"rollNumber": "1", "password": "secret1"},
        "student-otp-generate": {"rollNumber": "1"},
        "student-forgot": {"rollNumber": "1", "otp": 123456, "verify": True},
        "student-change": {"rollNumber": "1", **passwords},
        "student-update": {"rollNumber": "1", "branch": "IT"},
        "own-attendance": {"rollNumber": "1", "class_id": school.class_id},
        "teacher-register": {"email": "waiting.teacher@example.com"},
        "teacher-verify-otp": {"email": "waiting.teacher@example.com", "password": "secret1", "otp": 123456},
        "teacher-login": {"email": school.owner.email, "password": "secret1"},
        "teacher-otp-generate": {"email": school.owner.email},
        "teacher-forgot": {"email": school.owner.email, "otp": 123456, "verify": True},
        "teacher-change": {"email": school.owner.email, **passwords},
        "teacher-update": {"email": school.owner.email, "interest": "Optics"},
        "records": {"class_id": school.class_id, **dates},
        "overall-records": {"class_id": school.class_id, **dates},
        "create-attendance": {"class_id": school.class_id, "date": "2025-05-18", "records": {"1": True}},
        "change-record": {"attendance_id": school.record_id, "datas": ["1"]},
        "create-class": {"classname": "Optics", "teacherid": school.owner.id, "students": []},
        "add-teacher": new,
        "add-teachers": {"teachers": [new]},
    }
    return bodies.get(name)


class AskedSchool(AttenTrackSchool):
    """The school, with what the requests ask for: people who have accounts, a superuser, and a record."""

    def __post_init__(self) -> None:
        super().__post_init__()
        make_user("Waiting")
        make_user("Waiting.Teacher", "teacher")
        for user in (self.owner, self.student):
            user.password = "usable, and never hashed"
            user.save()
        boss = make_user("Boss", "teacher", is_staff=True, is_superuser=True)
        self.record_id = self.record(Bare(), r1=True)
        people = (self.owner, self.other_teacher, self.student, self.other_student, boss)
        self.tokens = {
            "nobody": None,
            "bad token": "bad",
            **{who: token_of(person) for who, person in zip(WHO[2:], people, strict=True)},
        }


@pytest.fixture(scope="module")
def school(lasting: Unblock) -> AskedSchool:
    with lasting():
        return AskedSchool()


@pytest.fixture
def ask(
    rest: Bare, school: AskedSchool, codes: list[int], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], Any]:
    """`ask(name, who)` sends the route's request. Every password is right: passwords have tests of their own."""
    monkeypatch.setattr("accounts.models.User.check_password", lambda user, raw: True)
    monkeypatch.setattr("accounts.passwords.hash_password", lambda raw: "usable, and never hashed")
    places = {
        "{student}": school.student.id,
        "{owner}": school.owner.id,
        "{class}": school.class_id,
        "{record}": school.record_id,
    }

    def asked(name: str, who: str) -> Any:
        method, path, _, _ = TABLE[name]
        for place, value in places.items():
            path = path.replace(place, value)
        return rest(method, path, body_of(name, school), token=school.tokens[who])

    return asked


@pytest.mark.parametrize(("name", "who", "cell"), CELLS)
def test_each_route_answers_each_person_as_the_table_says(ask: Any, name: str, who: str, cell: Cell) -> None:
    before = snapshot()
    answer = ask(name, who)
    if isinstance(cell, int):
        assert 200 <= answer.status < 300, answer.body
    else:
        assert (answer.status, answer.body) == (cell[0], {"error": cell[1]})
        assert snapshot() == before


@pytest.mark.parametrize("who", ["nobody", "bad token", "other student"])
@pytest.mark.parametrize("name", TABLE)
def test_open_mode_needs_a_token_for_superuser_routes_and_token_logins_only(
    ask: Any, open_mode: None, name: str, who: str
) -> None:
    _, _, row, opens = TABLE[name]
    cell = row[WHO.index(who)]
    answer = ask(name, who)
    if row[0] == OUT == row[2]:  # the route needs an otpToken in either mode
        assert answer.status == 401
    elif opens or isinstance(cell, int):
        assert 200 <= answer.status < 300, answer.body
    else:
        assert (answer.status, answer.body) == (cell[0], {"error": cell[1]})


def test_the_table_has_every_route_and_its_audience() -> None:
    found = {
        name.removeprefix("attentrack-"): view(**options)
        for name, view, options in routes(get_resolver())
        if view.__module__.startswith("dialects.attentrack")
    }
    assert found.keys() == TABLE.keys()
    audiences = {TEACHERS: Audience.TEACHER, OWNER: Audience.TEACHER, SUPERUSER: Audience.SUPERUSER}
    for name, (method, _, row, opens) in TABLE.items():
        view = found[name]
        methods = {verb for verb in ("get", "post", "put", "patch", "delete") if hasattr(view, verb)}
        assert methods == {method.lower()}, name
        if view.audience is not Audience.ANYONE:  # the routes for anyone check an otpToken by themselves
            expected = audiences.get(row) or (Audience.STUDENT if row in (STUDENT, STUDENTS) else Audience.SIGNED_IN)
            assert view.audience is expected, name
            assert view.opens is opens, name
        else:
            assert row in (ANYONE, (OUT,) * 7), name


def test_an_unknown_class_is_refused_before_its_teacher_is_checked(rest: Bare, school: AskedSchool) -> None:
    body = {"class_id": UNKNOWN_ID, "startDate": "2025-05-01", "endDate": "2025-05-01"}
    answer = rest.post("/api/teacher/records", body, token=token_of(school.other_teacher))
    assert (answer.status, answer.body) == (400, {"error": "Class not found"})


def test_a_bad_body_is_refused_before_the_class_is_looked_up(rest: Bare, school: AskedSchool) -> None:
    answer = rest.post("/api/teacher/records", {"class_id": UNKNOWN_ID}, token=token_of(school.owner))
    assert (answer.status, answer.body) == (400, {"error": "Invalid request schema"})
