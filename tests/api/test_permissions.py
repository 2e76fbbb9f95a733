"""Who may use which route, as one table, and the order in which a request that is wrong twice is told so."""

from typing import Any

import pytest

from accounts.models import User
from tests.api.permissions import WHO, Ask, Table, without_passwords
from tests.api.rest import INVALID, UNAUTHORIZED, UNKNOWN_ID, Rest, School, failure, token_of

pytestmark = pytest.mark.one_database(
    "Permissions stand above the database; what they let through, the contract's tests do on each."
)

TEACHER = "Forbidden, teacher access required"
STUDENT = "Forbidden, student access required"
NOT_OWNER = "Forbidden, not class teacher"
NOT_ENROLLED = "Forbidden, not enrolled in class"
CLASS = "Class not found"
UNKNOWN_STUDENT = "Student not found"

STATUS = {UNAUTHORIZED: 401, TEACHER: 403, STUDENT: 403, NOT_OWNER: 403, NOT_ENROLLED: 403}
OUT = (UNAUTHORIZED, UNAUTHORIZED)

TABLE = Table(
    [
        ("signup", "POST", "/auth/signup", (201,) * 7),
        ("login", "POST", "/auth/login", (200,) * 7),
        ("logout", "POST", "/auth/logout", (*OUT, 200, 200, 200, 200, 200)),
        ("password", "POST", "/auth/password", (*OUT, 200, 200, 200, 200, 200)),
        ("forgot", "POST", "/auth/forgot", (200,) * 7),
        ("reset", "POST", "/auth/reset", (200,) * 7),
        ("me", "GET", "/auth/me", (*OUT, 200, 200, 200, 200, 200)),
        ("confirm-email-code", "POST", "/auth/confirm-email/code", (*OUT, 200, 200, 200, 200, 200)),
        ("confirm-email", "POST", "/auth/confirm-email", (*OUT, 200, 200, 200, 200, 200)),
        ("invitation", "GET", "/invitation/no-such-secret", (400,) * 7),
        ("invitation-accept", "POST", "/invitation/no-such-secret/accept", (400,) * 7),
        ("class-create", "POST", "/class", (*OUT, 201, 201, TEACHER, TEACHER, 201)),
        (
            "class-add-student",
            "POST",
            "/class/{class}/add-student",
            (*OUT, 200, NOT_OWNER, TEACHER, TEACHER, NOT_OWNER),
        ),
        ("class-detail", "GET", "/class/{class}", (*OUT, 200, NOT_OWNER, 200, NOT_OWNER, NOT_OWNER)),
        ("students", "GET", "/students", (*OUT, 200, 200, TEACHER, TEACHER, 200)),
        (
            "my-attendance",
            "GET",
            "/class/{class}/my-attendance",
            (*OUT, STUDENT, STUDENT, 200, NOT_ENROLLED, STUDENT),
        ),
        (
            "attendance-my-attendance",
            "GET",
            "/attendance/{class}/my-attendance",
            (*OUT, STUDENT, STUDENT, 200, NOT_ENROLLED, STUDENT),
        ),
        ("attendance-start", "POST", "/attendance/start", (*OUT, 200, NOT_OWNER, TEACHER, TEACHER, NOT_OWNER)),
        ("healthz", "GET", "/healthz", (200,) * 7),
        ("readyz", "GET", "/readyz", (200,) * 7),
        ("metrics", "GET", "/metrics", (404,) * 7),
        ("api-docs", "GET", "/api-docs", (200,) * 7),
        ("api-docs-schema", "GET", "/api-docs/schema", (200,) * 7),
        ("api-docs-asyncapi", "GET", "/api-docs/asyncapi.yaml", (200,) * 7),
    ],
    {words: (status, failure(words)) for words, status in STATUS.items()},
)


@pytest.fixture
def ask(rest: Rest, school: School, monkeypatch: pytest.MonkeyPatch) -> Ask:
    without_passwords(monkeypatch)
    monkeypatch.setattr("accounts.codes.check", lambda **_: "a code")
    monkeypatch.setattr("accounts.codes.use", lambda _: None)
    bodies = {
        "/auth/signup": {"name": "A", "email": "new@example.com", "password": "secret1", "role": "student"},
        "/auth/login": {"email": "old@example.com", "password": "secret1"},
        "/auth/confirm-email": {"code": "000000"},
        "/auth/password": {"old": "secret1", "new": "another horse"},
        "/auth/forgot": {"login": "old@example.com"},
        "/auth/reset": {"login": "old@example.com", "code": "123456", "password": "another horse"},
        "/class": {"className": "Art"},
        "/class/{class}/add-student": {"studentId": school.other_student.id},
        "/attendance/start": {"classId": school.class_id},
    }
    return Ask(rest, school, bodies)


@pytest.mark.parametrize(("method", "path", "who", "expected"), TABLE.cells())
def test_each_route_answers_each_person_as_the_table_says(
    ask: Ask, method: str, path: str, who: str, expected: int | str
) -> None:
    TABLE.check(ask, method, path, who, expected)


@pytest.mark.parametrize("who", WHO[1:])
def test_a_disabled_person_is_nobody_on_every_route(ask: Ask, who: str) -> None:
    TABLE.check_disabled(ask, who)


def test_every_route_and_method_has_a_row_in_the_table_and_every_row_a_route() -> None:
    TABLE.check_whole()


# The order of checks: each request is wrong in two ways, and the earlier one is told

BAD_BODIES: list[Any] = [None, {}, {"className": 5, "studentId": 5, "classId": 5}, []]
TEACHERS_WITH_BODY = ["/class", "/class/{class}/add-student", "/attendance/start"]


@pytest.mark.parametrize("token", [None, "", "garbage", "Bearer "])
@pytest.mark.parametrize("path", TEACHERS_WITH_BODY)
def test_401_comes_before_everything(rest: Rest, school: School, path: str, token: str | None) -> None:
    url = path.replace("{class}", "no id")
    rest.post(url, [], token=token).is_failure(401, UNAUTHORIZED)
    rest.post(url, raw="{", token=token).is_failure(401, UNAUTHORIZED)
    rest.post(url, raw="x=1", content_type="text/plain", token=token).is_failure(401, UNAUTHORIZED)


def test_401_comes_before_403_where_the_tokens_role_is_not_the_users(rest: Rest, school: School) -> None:
    token = token_of(school.student)
    User.objects.filter(pk=school.student.pk).update(token_version=1)
    rest.post("/class", {"className": "Art"}, token=token).is_failure(401, UNAUTHORIZED)


@pytest.mark.parametrize("body", BAD_BODIES)
@pytest.mark.parametrize("path", TEACHERS_WITH_BODY)
def test_403_for_the_role_comes_before_400(rest: Rest, school: School, path: str, body: Any) -> None:
    answer = rest.post(path.replace("{class}", school.class_id), body, token=token_of(school.student))
    answer.is_failure(403, TEACHER)


@pytest.mark.parametrize("class_id", [UNKNOWN_ID, "abc"])
def test_403_for_the_role_comes_before_404_for_the_class(rest: Rest, school: School, class_id: str) -> None:
    student, owner = token_of(school.student), token_of(school.owner)
    rest.post(f"/class/{class_id}/add-student", {"studentId": "x"}, token=student).is_failure(403, TEACHER)
    rest.post("/attendance/start", {"classId": class_id}, token=student).is_failure(403, TEACHER)
    rest.get(f"/class/{class_id}/my-attendance", token=owner).is_failure(403, STUDENT)
    rest.get(f"/attendance/{class_id}/my-attendance", token=owner).is_failure(403, STUDENT)


@pytest.mark.parametrize("body", BAD_BODIES)
@pytest.mark.parametrize("class_id", [UNKNOWN_ID, "abc"])
def test_400_comes_before_404_for_the_class(rest: Rest, school: School, class_id: str, body: Any) -> None:
    answer = rest.post(f"/class/{class_id}/add-student", body, token=token_of(school.owner))
    answer.is_failure(400, INVALID)


@pytest.mark.parametrize("body", BAD_BODIES)
def test_400_comes_before_403_for_the_ownership(rest: Rest, school: School, body: Any) -> None:
    answer = rest.post(f"/class/{school.class_id}/add-student", body, token=token_of(school.other_teacher))
    answer.is_failure(400, INVALID)


@pytest.mark.parametrize("who", ["owner", "other_teacher"])
def test_404_for_the_class_comes_before_404_for_the_student(rest: Rest, school: School, who: str) -> None:
    answer = rest.post(
        f"/class/{UNKNOWN_ID}/add-student", {"studentId": UNKNOWN_ID}, token=token_of(getattr(school, who))
    )
    answer.is_failure(404, CLASS)


def test_404_for_the_class_comes_before_403_for_the_enrolment(rest: Rest, school: School) -> None:
    token = token_of(school.other_student)
    rest.get(f"/class/{UNKNOWN_ID}", token=token).is_failure(404, CLASS)
    rest.get(f"/class/{UNKNOWN_ID}/my-attendance", token=token).is_failure(404, CLASS)
    rest.get(f"/attendance/{UNKNOWN_ID}/my-attendance", token=token).is_failure(404, CLASS)


@pytest.mark.parametrize("student_id", [UNKNOWN_ID, "abc", ""])
def test_403_for_the_ownership_comes_before_404_for_the_student(rest: Rest, school: School, student_id: str) -> None:
    path, body = f"/class/{school.class_id}/add-student", {"studentId": student_id}
    rest.post(path, body, token=token_of(school.other_teacher)).is_failure(403, NOT_OWNER)
    rest.post(path, body, token=token_of(school.owner)).is_failure(404, UNKNOWN_STUDENT)


def test_a_student_who_left_the_class_may_not_read_it_any_more(rest: Rest, school: School) -> None:
    token = token_of(school.student)
    school.physics.enrolments.all().delete()
    rest.get(f"/class/{school.class_id}", token=token).is_failure(403, NOT_OWNER)
    rest.get(f"/class/{school.class_id}/my-attendance", token=token).is_failure(403, NOT_ENROLLED)


def test_a_teacher_on_a_roster_is_no_student_of_the_class(rest: Rest, school: School) -> None:
    """Somebody who was enrolled and then made a teacher."""
    User.objects.filter(pk=school.student.pk).update(role="teacher")
    token = token_of(school.student)
    rest.get(f"/class/{school.class_id}", token=token).is_failure(403, NOT_OWNER)
    rest.get(f"/class/{school.class_id}/my-attendance", token=token).is_failure(403, STUDENT)


def test_a_disabled_student_is_still_a_student_to_the_teacher(rest: Rest, school: School) -> None:
    User.objects.filter(pk=school.other_student.pk).update(is_active=False)
    token = token_of(school.owner)
    answer = rest.post(f"/class/{school.class_id}/add-student", {"studentId": school.other_student.id}, token=token)
    assert answer.status == 200
    assert school.other_student.id in [student["_id"] for student in rest.get("/students", token=token).data]
