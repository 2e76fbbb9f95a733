"""Every row of the `/api/v1` contract: the exact answers and the exact words of each failure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from attendance import services
from attendance.enums import Method, Status
from attendance.journal import NewMark
from attendance.live.commit import Refusal, Unit, commit
from attendance.models import Session
from classes.models import Class, Enrolment
from core.identity import Actor, Role
from core.times import now, to_iso
from tests.api.rest import INVALID, UNKNOWN_ID, Rest, School, make_user, raiser, success, token_of

SCHEMA = "Invalid request Schema"
ASHA = {"name": "  Asha RAO\n", "email": "Asha@Example.com", "password": "secret1", "role": "teacher"}
LOGIN = {"email": ASHA["email"], "password": ASHA["password"]}
CREATE = ["/class", "/class/create-class"]


def user_document(user: User) -> dict[str, Any]:
    return {
        "_id": user.id,
        "name": user.name.lower(),
        "email": user.email,
        "role": user.role,
        "createdAt": to_iso(user.created_at),
        "updatedAt": to_iso(user.updated_at),
    }


def class_document(class_id: str, *students: User) -> dict[str, Any]:
    found = Class.objects.get(pk=class_id)
    return {
        "_id": class_id,
        "className": found.name,
        "teacherId": found.teacher_id,
        "studentsIds": [student.id for student in students],
        "createdAt": to_iso(found.created_at),
        "updatedAt": to_iso(found.updated_at),
    }


def long_ago(row: User | Class) -> None:
    """Dates a row to 2025, so that no two of its times are the same by chance."""
    moment = datetime(2025, 3, 11, 10, 0, 0, 123000, tzinfo=UTC)
    type(row)._default_manager.filter(pk=row.pk).update(created_at=moment, updated_at=moment + timedelta(hours=1))


# POST /auth/register


def test_register_makes_an_account_with_a_trimmed_name_that_is_shown_in_lower_case(rest: Rest) -> None:
    answer = rest.post("/auth/register", ASHA)
    user = User.objects.get()
    assert user.name == "Asha RAO"
    assert (answer.status, answer.body) == (201, success(user_document(user)))
    assert list(answer.data) == ["_id", "name", "email", "role", "createdAt", "updatedAt"]
    assert answer.data["name"] == "asha rao"


def test_the_canonical_routes_show_the_name_as_it_is_stored(rest: Rest) -> None:
    rest.post("/auth/register", ASHA)
    token = token_of(User.objects.get())
    assert Rest().get("/auth/me", token=token).data["name"] == "Asha RAO"
    assert rest.get("/auth/me", token=token).data["name"] == "asha rao"


def test_register_keeps_a_password_as_it_is(rest: Rest) -> None:
    assert rest.post("/auth/register", {**ASHA, "password": "      "}).status == 201
    rest.post("/auth/login", {**LOGIN, "password": "     "}).is_failure(400, "Invalid email or password")
    assert rest.post("/auth/login", {**LOGIN, "password": "      "}).status == 200


@pytest.mark.parametrize("email", ["Asha@Example.com", "asha@example.com", "ASHA@EXAMPLE.COM"])
def test_a_taken_email_is_answered_403(rest: Rest, email: str) -> None:
    make_user("Asha")
    rest.post("/auth/register", {**ASHA, "email": email}).is_failure(403, "Email already exists")
    rest.post("/auth/register", {**ASHA, "email": email, "password": "short"}).is_failure(422, SCHEMA)
    assert User.objects.count() == 1


# POST /auth/login


def test_login_gives_a_token_that_is_good_on_both_protocols(rest: Rest) -> None:
    rest.post("/auth/register", ASHA)
    canonical = Rest()
    for login in (rest, canonical):
        answer = login.post("/auth/login", LOGIN)
        assert (answer.status, list(answer.data)) == (200, ["token"])
        for ask in (rest, canonical):
            assert ask.get("/auth/me", token=f"Bearer {answer.data['token']}").data["email"] == ASHA["email"]


def test_an_unknown_email_is_answered_404_and_a_wrong_password_400(rest: Rest) -> None:
    rest.post("/auth/register", ASHA)
    rest.post("/auth/login", {**LOGIN, "email": "nobody@example.com"}).is_failure(404, "User not found")
    rest.post("/auth/login", {**LOGIN, "password": "secret2"}).is_failure(400, "Invalid email or password")


def test_an_unknown_email_costs_a_hash_like_a_known_one(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def hash_password(password: str) -> str:
        hashed.append(password)
        return "!"

    monkeypatch.setattr("accounts.passwords.hash_password", hash_password)
    rest.post("/auth/login", LOGIN).is_failure(404, "User not found")
    assert hashed == [LOGIN["password"]]


def test_a_disabled_account_cannot_log_in_with_the_right_password(rest: Rest) -> None:
    rest.post("/auth/register", ASHA)
    User.objects.update(is_active=False)
    for login in (LOGIN, {**LOGIN, "password": "secret2"}):
        rest.post("/auth/login", login).is_failure(400, "Invalid email or password")


# GET /auth/me


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_me_answers_the_tokens_user(rest: Rest, role: str) -> None:
    user = make_user("Ravi", role)
    long_ago(user)
    answer = rest.get("/auth/me", token=token_of(user))
    times = {"createdAt": "2025-03-11T10:00:00.123Z", "updatedAt": "2025-03-11T11:00:00.123Z"}
    expected = {"_id": user.id, "name": "ravi", "email": "Ravi@example.com", "role": role, **times}
    assert (answer.status, answer.body) == (200, success(expected))


# POST /class, POST /class/create-class


@pytest.mark.parametrize("path", CREATE)
def test_a_class_is_made_with_a_trimmed_name(rest: Rest, school: School, path: str) -> None:
    answer = rest.post(path, {"className": "\t Art of War \u00a0"}, token=token_of(school.owner))
    made = Class.objects.get(name="Art of War")
    assert (answer.status, answer.body) == (201, success(class_document(made.id)))
    assert list(answer.data) == ["_id", "className", "teacherId", "studentsIds", "createdAt", "updatedAt"]
    assert (answer.data["teacherId"], answer.data["studentsIds"]) == (school.owner.id, [])


@pytest.mark.parametrize("path", CREATE)
@pytest.mark.parametrize("name", ["Physics", "  Physics\n"])
def test_a_second_class_of_one_name_is_answered_409(rest: Rest, school: School, path: str, name: str) -> None:
    rest.post(path, {"className": name}, token=token_of(school.owner)).is_failure(409, "class already exist")
    assert Class.objects.count() == 1


@pytest.mark.parametrize("path", CREATE)
def test_another_teacher_or_another_letter_case_may_use_the_name(rest: Rest, school: School, path: str) -> None:
    assert rest.post(path, {"className": "Physics"}, token=token_of(school.other_teacher)).status == 201
    assert rest.post(path, {"className": "physics"}, token=token_of(school.owner)).status == 201


def test_a_name_has_at_least_three_characters(rest: Rest, school: School) -> None:
    rest.post("/class", {"className": "Ar"}, token=token_of(school.owner)).is_failure(400, INVALID)
    assert rest.post("/class", {"className": "Art"}, token=token_of(school.owner)).status == 201


def test_the_canonical_route_makes_two_classes_of_one_name(rest: Rest, school: School) -> None:
    token = token_of(school.owner)
    assert Rest().post("/class", {"className": "Physics"}, token=token).status == 201
    rest.post("/class", {"className": "Physics"}, token=token).is_failure(409, "class already exist")
    assert Class.objects.filter(name="Physics").count() == 2


# POST /class/:id/add-student


def test_an_added_student_is_answered_in_the_class_with_a_new_time(rest: Rest, school: School) -> None:
    long_ago(school.physics)
    before = to_iso(now())
    path, body = f"/class/{school.class_id}/add-student", {"studentId": school.other_student.id.upper()}
    answer = rest.post(path, body, token=token_of(school.owner))
    document = class_document(school.class_id, school.student, school.other_student)
    assert (answer.status, answer.body) == (201, {"success": True, "ExistingClass": document})
    assert document["createdAt"] == "2025-03-11T10:00:00.123Z"
    assert before <= document["updatedAt"] <= to_iso(now())


def test_adding_a_student_twice_is_answered_409_and_changes_nothing(rest: Rest, school: School) -> None:
    before = class_document(school.class_id, school.student)
    path, body = f"/class/{school.class_id}/add-student", {"studentId": school.student.id}
    rest.post(path, body, token=token_of(school.owner)).is_failure(409, "student already exist in class")
    assert class_document(school.class_id, school.student) == before
    assert Enrolment.objects.count() == 1


def test_a_person_who_is_no_student_is_not_found(rest: Rest, school: School) -> None:
    for nobody in (UNKNOWN_ID, school.owner.id, school.other_teacher.id, school.class_id):
        answer = rest.post(f"/class/{school.class_id}/add-student", {"studentId": nobody}, token=token_of(school.owner))
        answer.is_failure(404, "Student not found")


# GET /class/students


def test_students_are_listed_with_their_role(rest: Rest, school: School) -> None:
    answer = rest.get("/class/students", token=token_of(school.other_teacher))
    expected = [
        {"_id": user.id, "name": user.name.lower(), "email": user.email, "role": "student"}
        for user in (school.student, school.other_student)
    ]
    assert (answer.status, answer.body) == (200, success(expected))


def test_an_empty_list_of_students_is_answered_404(rest: Rest) -> None:
    rest.get("/class/students", token=token_of(make_user("Alone", "teacher"))).is_failure(404, "No students found")


# GET /class/:id


@pytest.mark.parametrize("who", ["owner", "student"])
def test_a_class_is_answered_as_a_list_of_one_with_names_and_emails(rest: Rest, school: School, who: str) -> None:
    long_ago(school.physics)
    answer = rest.get(f"/class/{school.class_id.upper()}", token=token_of(getattr(school, who)))
    expected = {
        "_id": school.class_id,
        "className": "Physics",
        "teacherId": {"name": "owner", "email": "Owner@example.com"},
        "studentsIds": [{"name": "student", "email": "Student@example.com"}],
        "createdAt": "2025-03-11T10:00:00.123Z",
        "updatedAt": "2025-03-11T11:00:00.123Z",
    }
    assert (answer.status, answer.body) == (200, success([expected]))
    assert list(answer.data[0]) == list(expected)


@pytest.mark.parametrize("who", ["other_teacher", "other_student"])
def test_a_person_outside_the_class_is_refused_under_the_key_message(rest: Rest, school: School, who: str) -> None:
    answer = rest.get(f"/class/{school.class_id}", token=token_of(getattr(school, who)))
    expected = {"success": False, "message": "you are not enrolled in the class"}
    assert (answer.status, answer.body) == (404, expected)


# GET /attendance/:id/my-attendance


def status(rest: Rest, school: School) -> Any:
    answer = rest.get(f"/attendance/{school.class_id.upper()}/my-attendance", token=token_of(school.student))
    assert answer.status == 200
    assert answer.body == success({"classId": school.class_id, "status": answer.data["status"]})
    return answer.data["status"]


def start(school: School) -> Session:
    owner = school.owner
    return services.session_start(
        actor=Actor(owner.id, Role.TEACHER, owner.name, owner.email), class_id=school.class_id
    )


def mark(session: Session, student: User, given: Status) -> None:
    made = NewMark(session.id, student.id, given, now(), session.started_by_id, Method.TEACHER)
    assert not isinstance(commit([Unit([made])])[0], Refusal)


def test_the_status_is_null_until_a_mark_and_then_the_last_mark(rest: Rest, school: School) -> None:
    assert status(rest, school) is None
    session = start(school)
    assert status(rest, school) is None
    mark(session, school.other_student, Status.PRESENT)
    assert status(rest, school) is None
    for given in (Status.PRESENT, Status.ABSENT, Status.PRESENT):
        mark(session, school.student, given)
        assert status(rest, school) == given


def test_the_end_of_a_session_makes_students_without_a_mark_absent(rest: Rest, school: School) -> None:
    services.session_end(session_id=start(school).id)
    assert status(rest, school) == "absent"


def test_a_new_session_makes_the_status_null_again(rest: Rest, school: School) -> None:
    first = start(school)
    mark(first, school.student, Status.PRESENT)
    services.session_end(session_id=first.id)
    assert status(rest, school) == "present"
    second = start(school)
    assert status(rest, school) is None
    mark(second, school.student, Status.ABSENT)
    assert status(rest, school) == "absent"


@pytest.mark.parametrize(("given", "shown"), [(Status.LATE, "present"), (Status.EXCUSED, "absent")])
def test_the_status_is_present_or_absent_during_a_session_and_after_it(
    rest: Rest, school: School, given: Status, shown: str
) -> None:
    session = start(school)
    mark(session, school.student, given)
    assert status(rest, school) == shown
    services.session_end(session_id=session.id)
    assert status(rest, school) == shown


# POST /attendance/start


def test_a_start_answers_the_class_and_opens_its_session(rest: Rest, school: School) -> None:
    answer = rest.post("/attendance/start", {"className": " Physics\n"}, token=token_of(school.owner))
    assert (answer.status, answer.body) == (200, success(class_document(school.class_id, school.student)))
    assert list(Session.objects.values_list("class_ref_id", "state")) == [(school.class_id, "open")]
    again = rest.post("/attendance/start", {"className": "Physics"}, token=token_of(school.owner))
    assert (again.status, again.body) == (answer.status, answer.body)
    assert Session.objects.count() == 1


@pytest.mark.parametrize("name", ["Chemistry", "physics", "Physics 1", "Phy", "%", "Ph_sics"])
def test_a_name_that_no_class_of_the_teacher_has_is_not_found(rest: Rest, school: School, name: str) -> None:
    Class.objects.create(name="Chemistry", teacher=school.other_teacher)
    rest.post("/attendance/start", {"className": name}, token=token_of(school.owner)).is_failure(404, "class not found")
    assert Session.objects.count() == 0


def test_a_start_by_name_takes_the_newest_class_of_that_name(rest: Rest, school: School) -> None:
    newest = Class.objects.create(
        id="0" * 24, name="Physics", teacher=school.owner
    )  # ids of imported classes say nothing about their age
    Class.objects.create(name="Physics", teacher=school.other_teacher)
    answer = rest.post("/attendance/start", {"className": "Physics"}, token=token_of(school.owner))
    assert answer.data["_id"] == newest.id
    assert list(Session.objects.values_list("class_ref_id", flat=True)) == [newest.id]


def test_a_class_with_a_short_name_can_be_started_though_not_made_here(rest: Rest, school: School) -> None:
    Rest().post("/class", {"className": "A"}, token=token_of(school.owner))
    answer = rest.post("/attendance/start", {"className": "A"}, token=token_of(school.owner))
    assert (answer.status, answer.data["className"]) == (200, "A")


# The number of queries


@pytest.mark.parametrize(
    ("method", "path", "who", "queries"),
    [
        ("GET", "/auth/me", "owner", 2),
        ("GET", "/class/students", "owner", 2),
        ("GET", "/class/{}", "owner", 4),
        ("GET", "/class/{}", "student", 5),
        ("GET", "/attendance/{}/my-attendance", "student", 5),
    ],
)
def test_a_read_takes_as_many_queries_for_a_full_class_as_for_one_student(
    rest: Rest,
    school: School,
    django_assert_num_queries: DjangoAssertNumQueries,
    method: str,
    path: str,
    who: str,
    queries: int,
) -> None:
    for number in range(20):
        Enrolment.objects.create(class_ref=school.physics, student=make_user(f"Student {number}"))
    start(school)
    token = token_of(getattr(school, who))
    with django_assert_num_queries(queries):
        assert rest(method, path.format(school.class_id), token=token).status == 200


# The envelope


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/nothing",
        "/auth",
        "/auth/signup",
        "/students",
        f"/class/{UNKNOWN_ID}/my-attendance",
        f"/class/{UNKNOWN_ID}/nothing",
        "/class//add-student",
        "/attendance",
        "/Class/students",
    ],
)
def test_an_unknown_route_is_not_found_for_every_method(rest: Rest, method: str, path: str) -> None:
    rest(method, path).is_failure(404, "Not found")


ROUTES = [
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("GET", "/auth/me"),
    ("POST", "/class"),
    ("POST", "/class/create-class"),
    ("POST", "/class/{}/add-student"),
    ("GET", "/class/students"),
    ("GET", "/class/{}"),
    ("GET", "/attendance/{}/my-attendance"),
    ("POST", "/attendance/start"),
]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("allowed", "path"), ROUTES)
def test_other_methods_are_not_allowed_and_options_is_answered(
    rest: Rest, school: School, allowed: str, path: str, slash: str
) -> None:
    url = path.format(school.class_id) + slash
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {allowed}:
        for token in (None, token_of(school.owner)):
            rest(method, url, token=token).is_failure(405, "Method not allowed")
    expected = ["GET", "HEAD", "OPTIONS"] if allowed == "GET" else ["POST", "OPTIONS"]
    assert rest("OPTIONS", url).body == success({"methods": expected})


@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
def test_other_content_types_and_sizes_are_refused_in_the_canonical_words(
    rest: Rest, school: School, path: str
) -> None:
    url, token = path.format(school.class_id), token_of(school.owner)
    rest.post(url, raw="a=1", content_type="text/plain", token=token).is_failure(415, "Unsupported media type")
    rest.post(url, raw=b" " * (1024 * 1024 + 1), token=token).is_failure(413, "Payload too large")


#: For each route, a function that its view calls.
CRASHES: dict[str, str] = {
    "/auth/register": "accounts.services.user_signup",
    "/auth/login": "accounts.services.user_login",
    "/auth/me": "accounts.selectors.user_get",
    "/class": "classes.services.class_create",
    "/class/create-class": "classes.services.class_create",
    "/class/{}/add-student": "classes.services.class_add_student",
    "/class/students": "classes.selectors.students_listed",
    "/class/{}": "classes.selectors.class_get_for_member",
    "/attendance/{}/my-attendance": "attendance.selectors.status_so_far",
    "/attendance/start": "attendance.services.session_start",
}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_crash_is_answered_without_its_reason(
    rest: Rest, school: School, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setattr(CRASHES[path], raiser(RuntimeError("the reason")))
    body = {
        "name": "A",
        "email": "a@example.com",
        "password": "secret1",
        "role": "student",
        "className": "Physics",
        "studentId": UNKNOWN_ID,
    }
    token = token_of(school.student if "my-attendance" in path else school.owner)
    answer = rest(method, path.format(school.class_id), body if method == "POST" else None, token=token)
    answer.is_failure(500, "Internal server error")
