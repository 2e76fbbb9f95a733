"""Who may use which route of `/api/v1`, as one table, and the order in which a request is checked."""

from typing import Any

import pytest

from accounts import selectors
from accounts.models import User
from tests.api.permissions import WHO, Ask, Table, without_passwords
from tests.api.rest import INVALID, UNAUTHORIZED, UNKNOWN_ID, Rest, School, failure, token_of

pytestmark = pytest.mark.one_database(
    "Permissions stand above the database; what they let through, the contract's tests do on each."
)

NO_TOKEN = "please send jwt token"
TEACHER = "Forbidden, teacher access required"
STUDENT = "Forbidden, student access required"
NOT_OWNER = "Forbidden, not class teacher"
NOT_MEMBER = "you are not enrolled in the class"
NOT_ENROLLED = "You are not in the class, please contact your professor/admin"
CLASS = "Class not found"
NO_SUCH_CLASS = "class not found"

STATUS = {
    NO_TOKEN: 404,
    UNAUTHORIZED: 401,
    TEACHER: 403,
    STUDENT: 403,
    NOT_OWNER: 403,
    NOT_ENROLLED: 403,
    NO_SUCH_CLASS: 404,
}
OUT = (NO_TOKEN, UNAUTHORIZED)
MAKES_A_CLASS = (*OUT, 201, 201, TEACHER, TEACHER, 201)

TABLE = Table(
    [
        ("v1-register", "POST", "/auth/register", (201,) * 7),
        ("v1-login", "POST", "/auth/login", (200,) * 7),
        ("v1-me", "GET", "/auth/me", (*OUT, 200, 200, 200, 200, 200)),
        ("v1-class", "POST", "/class", MAKES_A_CLASS),
        ("v1-class-create", "POST", "/class/create-class", MAKES_A_CLASS),
        (
            "v1-class-add-student",
            "POST",
            "/class/{class}/add-student",
            (*OUT, 201, NOT_OWNER, TEACHER, TEACHER, NOT_OWNER),
        ),
        ("v1-students", "GET", "/class/students", (*OUT, 200, 200, TEACHER, TEACHER, 200)),
        ("v1-class-detail", "GET", "/class/{class}", (*OUT, 200, NOT_MEMBER, 200, NOT_MEMBER, NOT_MEMBER)),
        (
            "v1-my-attendance",
            "GET",
            "/attendance/{class}/my-attendance",
            (*OUT, STUDENT, STUDENT, 200, NOT_ENROLLED, STUDENT),
        ),
        (
            "v1-attendance-start",
            "POST",
            "/attendance/start",
            (*OUT, 200, NO_SUCH_CLASS, TEACHER, TEACHER, NO_SUCH_CLASS),
        ),
    ],
    {
        **{words: (status, failure(words)) for words, status in STATUS.items()},
        NOT_MEMBER: (404, {"success": False, "message": NOT_MEMBER}),
    },
    package="dialects.v1.",
)


@pytest.fixture
def ask(rest: Rest, school: School, monkeypatch: pytest.MonkeyPatch) -> Ask:
    without_passwords(monkeypatch)
    bodies = {
        "/auth/register": {"name": "A", "email": "new@example.com", "password": "secret1", "role": "student"},
        "/auth/login": {"email": "old@example.com", "password": "secret1"},
        "/class": {"className": "Art"},
        "/class/create-class": {"className": "Art"},
        "/class/{class}/add-student": {"studentId": school.other_student.id},
        "/attendance/start": {"className": "Physics"},
    }
    return Ask(rest, school, bodies)


@pytest.mark.parametrize(("method", "path", "who", "expected"), TABLE.cells())
def test_each_route_answers_each_person_as_the_table_says(
    ask: Ask, method: str, path: str, who: str, expected: int | str
) -> None:
    TABLE.check(ask, method, path, who, expected)


@pytest.mark.parametrize("who", WHO[1:])
def test_a_disabled_person_is_refused_on_every_route(ask: Ask, who: str) -> None:
    TABLE.check_disabled(ask, who)


def test_every_route_and_method_has_a_row_in_the_table_and_every_row_a_route() -> None:
    TABLE.check_whole()


# Tokens

PROTECTED = [(method, path) for _, method, path, row in TABLE.rows if row[0] == NO_TOKEN]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_an_empty_header_counts_as_a_missing_token(rest: Rest, school: School, method: str, path: str) -> None:
    rest(method, path.replace("{class}", school.class_id), token="").is_failure(404, NO_TOKEN)


@pytest.mark.parametrize("token", ["garbage", "Bearer", "Bearer ", "Bearer garbage", " "])
@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_a_bad_token_is_answered_401(rest: Rest, school: School, method: str, path: str, token: str) -> None:
    rest(method, path.replace("{class}", school.class_id), token=token).is_failure(401, UNAUTHORIZED)


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_a_deleted_user_is_answered_404_on_me_and_401_elsewhere(
    rest: Rest, school: School, method: str, path: str
) -> None:
    token = token_of(school.other_student)
    school.other_student.delete()
    gone = (404, "User not found") if path == "/auth/me" else (401, UNAUTHORIZED)
    rest(method, path.replace("{class}", school.class_id), token=token).is_failure(*gone)


def test_a_user_who_is_deleted_during_the_request_is_answered_404_on_me(
    rest: Rest, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, read = token_of(school.other_student), selectors.user_get

    def read_too_late(user_id: str) -> User:
        school.other_student.delete()
        return read(user_id)

    monkeypatch.setattr(selectors, "user_get", read_too_late)
    rest.get("/auth/me", token=token).is_failure(404, "User not found")


# The order of checks is the canonical one: token, role, body, class, ownership, student

BAD_BODIES: list[Any] = [None, {}, {"className": 5, "studentId": 5}, {"studentId": "abc", "className": " "}, []]
TEACHERS_WITH_BODY = [path for _, method, path, row in TABLE.rows if method == "POST" and TEACHER in row]


@pytest.mark.parametrize(("token", "status", "words"), [(None, 404, NO_TOKEN), ("garbage", 401, UNAUTHORIZED)])
@pytest.mark.parametrize("path", TEACHERS_WITH_BODY)
def test_the_token_is_checked_before_everything_else(
    rest: Rest, school: School, path: str, token: str | None, status: int, words: str
) -> None:
    url = path.replace("{class}", "no id")
    rest.post(url, [], token=token).is_failure(status, words)
    rest.post(url, raw="{", token=token).is_failure(status, words)
    rest.post(url, raw="x=1", content_type="text/plain", token=token).is_failure(status, words)


@pytest.mark.parametrize("body", BAD_BODIES)
@pytest.mark.parametrize("path", TEACHERS_WITH_BODY)
def test_the_role_is_checked_before_the_body(rest: Rest, school: School, path: str, body: Any) -> None:
    rest.post(path.replace("{class}", school.class_id), body, token=token_of(school.student)).is_failure(403, TEACHER)


@pytest.mark.parametrize("class_id", [UNKNOWN_ID, "abc"])
def test_the_role_is_checked_before_the_class(rest: Rest, school: School, class_id: str) -> None:
    rest.get(f"/attendance/{class_id}/my-attendance", token=token_of(school.owner)).is_failure(403, STUDENT)
    rest.post("/attendance/start", {"className": "None"}, token=token_of(school.student)).is_failure(403, TEACHER)


@pytest.mark.parametrize("body", BAD_BODIES)
@pytest.mark.parametrize("who", ["owner", "other_teacher"])
def test_the_body_is_checked_before_the_class_and_its_teacher(rest: Rest, school: School, who: str, body: Any) -> None:
    token = token_of(getattr(school, who))
    for class_id in (UNKNOWN_ID, "abc", school.class_id):
        rest.post(f"/class/{class_id}/add-student", body, token=token).is_failure(400, INVALID)


def test_the_class_is_checked_before_its_teacher_and_the_teacher_before_the_student(rest: Rest, school: School) -> None:
    owner, other, body = token_of(school.owner), token_of(school.other_teacher), {"studentId": UNKNOWN_ID}
    for token in (owner, other):
        rest.post(f"/class/{UNKNOWN_ID}/add-student", body, token=token).is_failure(404, CLASS)
    rest.post(f"/class/{school.class_id}/add-student", body, token=other).is_failure(403, NOT_OWNER)
    rest.post(f"/class/{school.class_id}/add-student", body, token=owner).is_failure(404, "Student not found")


def test_the_teacher_is_checked_before_the_students_enrolment(rest: Rest, school: School) -> None:
    body = {"studentId": school.student.id}
    answer = rest.post(f"/class/{school.class_id}/add-student", body, token=token_of(school.other_teacher))
    answer.is_failure(403, NOT_OWNER)


def test_the_class_is_checked_before_the_enrolment(rest: Rest, school: School) -> None:
    token = token_of(school.other_student)
    for class_id in (UNKNOWN_ID, "abc"):
        rest.get(f"/class/{class_id}", token=token).is_failure(404, CLASS)
        rest.get(f"/attendance/{class_id}/my-attendance", token=token).is_failure(404, CLASS)
