"""The envelope around every HTTP answer: unknown routes, wrong methods, types, sizes and hosts, crashes, outages."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings

from attendance_project import __version__
from core import errors
from core.database import writable
from tests.api.rest import INVALID, UNAUTHORIZED, UNKNOWN_ID, Rest, School, failure, raiser, success, token_of
from tests.support.queries import around_queries

LIMIT = 1024 * 1024
UP = {"status": "ok", "version": __version__}
#: Each route with its one method; `{}` is a class's id.
ROUTES: list[tuple[str, str]] = [
    ("POST", "/auth/signup"),
    ("POST", "/auth/login"),
    ("GET", "/auth/me"),
    ("POST", "/class"),
    ("POST", "/class/{}/add-student"),
    ("GET", "/class/{}"),
    ("GET", "/students"),
    ("GET", "/class/{}/my-attendance"),
    ("GET", "/attendance/{}/my-attendance"),
    ("POST", "/attendance/start"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
]
WITH_BODY = [path for method, path in ROUTES if method == "POST"]


# Slashes


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_slashed_form_answers_the_same_without_a_redirect(
    rest: Rest, school: School, method: str, path: str
) -> None:
    body = {
        "/auth/signup": {"name": "A", "email": "Owner@example.com", "password": "secret1", "role": "student"},
        "/auth/login": {"email": "nobody@example.com", "password": "secret1"},
        "/class/{}/add-student": {"studentId": school.student.id},
        "/attendance/start": {"classId": school.class_id},
    }.get(path)
    token = token_of(school.student if "my-attendance" in path else school.owner)
    plain = rest(method, path.format(school.class_id), body, token=token)
    slashed = rest(method, path.format(school.class_id) + "/", body, token=token)
    assert (slashed.status, slashed.body) == (plain.status, plain.body)
    refused = path in ("/auth/signup", "/auth/login", "/class")  # bodies that change nothing, so that twice is once
    assert plain.status == (400 if refused else 200)


def test_a_class_is_made_by_the_slashed_form_too(rest: Rest, school: School) -> None:
    assert rest.post("/class/", {"className": "Art"}, token=token_of(school.owner)).status == 201


# Unknown routes


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/nothing/",
        "/auth",
        "/auth/",
        "/auth/nothing",
        "/auth/me/more",
        "/auth/login//",
        "//auth/login",
        "/Auth/Me",
        "/auth/me%0A",
        "/classes",
        "/class//",
        "/class//add-student",
        f"/class/{UNKNOWN_ID}/nothing",
        f"/class/{UNKNOWN_ID}/add-student/more",
        f"/class/{UNKNOWN_ID}%2Fadd-student%2Fmore",
        "/students/1",
        "/attendance",
        f"/attendance/{UNKNOWN_ID}",
        "/attendance/start/now",
        "/ws",
        "/api/nothing",
        "/favicon.ico",
        "/static/nothing.css",
        "/static/../manage.py",
        "/%00",
        "/%FF",
        "/%E2%80%A8",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_an_unknown_route_is_not_found_for_every_method(rest: Rest, method: str, path: str) -> None:
    rest(method, path).is_failure(404, "Not found")


def test_an_unknown_route_asks_for_no_token_and_minds_no_bad_one(rest: Rest) -> None:
    rest.get("/nothing", token="garbage").is_failure(404, "Not found")


# Methods


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("allowed", "path"), ROUTES)
def test_other_methods_are_not_allowed_with_and_without_a_token(
    rest: Rest, school: School, allowed: str, path: str, slash: str
) -> None:
    others = {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - {allowed}
    for method in sorted(others):
        for token in (None, "garbage", token_of(school.owner)):
            answer = rest(method, path.format(school.class_id) + slash, token=token)
            answer.is_failure(405, "Method not allowed")
            assert allowed in answer.response["Allow"]


@pytest.mark.parametrize(("allowed", "path"), ROUTES)
def test_options_is_answered_in_the_envelope_without_a_token(
    rest: Rest, school: School, allowed: str, path: str
) -> None:
    answer = rest("OPTIONS", path.format(school.class_id))
    expected = ["GET", "HEAD", "OPTIONS"] if allowed == "GET" else ["POST", "OPTIONS"]
    assert (answer.status, answer.body) == (200, success({"methods": expected}))


def test_head_is_get_without_a_body(rest: Rest, school: School) -> None:
    token = token_of(school.owner)
    whole = rest.get("/auth/me", token=token).response
    head = rest.client.head("/auth/me", headers={"Authorization": token})
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Type"] == whole["Content-Type"]
    assert rest.client.head("/auth/me").status_code == 401
    assert rest.client.head("/auth/login").status_code == 405
    assert rest.client.head("/nothing").status_code == 404


# Types and sizes


@pytest.mark.parametrize("path", WITH_BODY)
@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application",
        "*/*",
        "",
    ],
)
def test_a_body_of_another_type_is_not_supported(rest: Rest, school: School, path: str, content_type: str) -> None:
    answer = rest.post(
        path.format(school.class_id), raw='{"className": "A"}', content_type=content_type, token=token_of(school.owner)
    )
    answer.is_failure(415, "Unsupported media type")


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y", "application/json;"],
)
def test_json_is_taken_under_every_spelling_of_its_type(rest: Rest, school: School, content_type: str) -> None:
    answer = rest.post("/class", raw='{"className": "A"}', content_type=content_type, token=token_of(school.owner))
    assert answer.status == 201


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "nonsense", ""])
def test_the_answer_is_json_whatever_the_client_accepts(rest: Rest, accept: str) -> None:
    assert rest.get("/healthz", Accept=accept).body == success(UP)
    rest.get("/nothing?format=html", Accept=accept).is_failure(404, "Not found")


@pytest.mark.parametrize("path", [*WITH_BODY, "/auth/me", "/nothing", "/healthz"])
def test_a_body_over_the_limit_is_too_large_on_every_route(rest: Rest, school: School, path: str) -> None:
    rest.post(path.format(school.class_id), raw=b" " * (LIMIT + 1)).is_failure(413, "Payload too large")


def test_a_body_of_exactly_the_limit_is_read(rest: Rest, school: School) -> None:
    body = b'{"className": "A", "more": "' + b"x" * (LIMIT - 30) + b'"}'
    assert len(body) == LIMIT
    assert rest.post("/class", raw=body, token=token_of(school.owner)).status == 201


def test_a_length_that_is_no_number_is_a_bad_request(rest: Rest) -> None:
    response = rest.client.generic("POST", "/auth/login", b"{}", "application/json", CONTENT_LENGTH="many")
    assert (response.status_code, response.json()) == (400, failure("Bad request"))


# Hosts


@override_settings(ALLOWED_HOSTS=["school.example"])
def test_a_host_that_is_not_ours_is_a_bad_request_in_the_envelope(rest: Rest) -> None:
    rest.get("/auth/me", Host="evil.example").is_failure(400, "Bad request")
    rest.get("/nothing", Host="evil.example").is_failure(400, "Bad request")
    assert rest.get("/auth/me", Host="school.example").status == 401


@pytest.mark.parametrize("host", ["bad host", "a,b", "ho\\st", "[::1"])
def test_a_malformed_host_is_a_bad_request_in_the_envelope(rest: Rest, host: str) -> None:
    rest.get("/auth/me", Host=host).is_failure(400, "Bad request")


# Crashes

SECRET = "hunter2-of-the-crash"
#: For each route, something that its view calls.
CRASHES = {
    "/auth/signup": "accounts.services.user_signup",
    "/auth/login": "accounts.services.user_login",
    "/auth/me": "accounts.tokens.authenticate",
    "/class": "classes.services.class_create",
    "/class/{}/add-student": "classes.services.class_add_student",
    "/class/{}": "classes.selectors.class_seen_by_member",
    "/students": "classes.selectors.students_listed",
    "/class/{}/my-attendance": "attendance.selectors.status_in_last_session",
    "/attendance/{}/my-attendance": "attendance.selectors.status_in_last_session",
    "/attendance/start": "attendance.services.session_start",
    "/healthz": "core.rest.health.Healthz.get",
    "/readyz": "core.database.missing_migrations.MigrationLoader",
}
BODIES: dict[str, dict[str, str]] = {
    "/auth/signup": {"name": "A", "email": "a@example.com", "password": "secret1", "role": "student"},
    "/auth/login": {"email": "a@example.com", "password": "secret1"},
    "/class": {"className": "A"},
    "/class/{}/add-student": {"studentId": "A"},
    "/attendance/start": {"classId": "A"},
}


def ask(rest: Rest, school: School, method: str, path: str) -> Any:
    token = token_of(school.student if "my-attendance" in path else school.owner)
    return rest(method, path.format(school.class_id), BODIES.get(path), token=token)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_crash_is_told_without_its_reason_and_logged_with_it(
    rest: Rest,
    school: School,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
) -> None:
    monkeypatch.setattr(CRASHES[path], raiser(RuntimeError(SECRET)))
    answer = ask(rest, school, method, path)
    answer.is_failure(500, "Internal server error")
    assert "Traceback" in caplog.text
    assert SECRET in caplog.text


def test_a_broken_rule_of_the_database_is_a_crash_not_an_outage(
    rest: Rest, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classes.selectors.students_listed", raiser(IntegrityError(SECRET)))
    ask(rest, school, "GET", "/students").is_failure(500, "Internal server error")


@override_settings(DEBUG=True)
def test_with_debug_on_unknown_routes_and_crashes_keep_to_the_envelope(
    rest: Rest, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classes.selectors.students_listed", raiser(RuntimeError(SECRET)))
    rest.get("/nothing").is_failure(404, "Not found")
    ask(rest, school, "GET", "/students").is_failure(500, "Internal server error")
    rest.get("/auth/me", Host="bad host").is_failure(400, "Bad request")
    rest.post("/students").is_failure(405, "Method not allowed")
    assert b"<html" in rest.client.get("/admin/nothing/", follow=True).content


# A database that is away


@pytest.mark.parametrize("outage", [OperationalError(SECRET), InterfaceError(SECRET)])
@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[1] not in ("/healthz",)])
def test_a_database_that_is_away_is_503_on_every_route(
    rest: Rest,
    school: School,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    outage: Exception,
) -> None:
    monkeypatch.setattr(CRASHES[path], raiser(outage))
    ask(rest, school, method, path).is_failure(503, "Database unavailable")
    assert path == "/readyz" or SECRET in caplog.text


def test_a_token_that_cannot_be_looked_up_is_no_bad_token(
    rest: Rest, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_of(school.owner)
    monkeypatch.setattr("accounts.tokens.authenticate", raiser(OperationalError(SECRET)))
    rest.get("/students", token=token).is_failure(503, "Database unavailable")


def test_healthz_needs_no_database(rest: Rest) -> None:
    with around_queries(raiser(OperationalError(SECRET))):
        assert rest.get("/healthz").body == success(UP)
        rest.get("/readyz").is_failure(503, "Database unavailable")


def test_readyz_says_that_every_migration_is_there(rest: Rest) -> None:
    assert rest.get("/readyz").body == success({"status": "ready"})


@pytest.fixture
def unwritten() -> Iterator[None]:
    """No check of earlier tests is believed, and none of this test's by later ones."""
    writable.forget()
    yield
    writable.forget()


def test_readyz_says_that_nothing_can_be_written(rest: Rest, unwritten: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writable, "_write", raiser(OperationalError(SECRET)))
    answer = rest.get("/readyz")
    answer.is_failure(503, "Database cannot be written")
    assert answer.response["X-Not-Ready"] == "database_not_writable"


def test_readyz_writes_once_in_a_while_however_often_it_is_asked(
    rest: Rest, unwritten: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rest.get("/readyz").status == 200
    monkeypatch.setattr(writable, "_write", raiser(OperationalError(SECRET)))
    assert rest.get("/readyz").status == 200
    assert "X-Not-Ready" not in rest.get("/readyz").response


def test_readyz_says_that_a_migration_is_missing(rest: Rest) -> None:
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("attendance")
    MigrationRecorder(connection).record_unapplied(*newest)
    try:
        rest.get("/readyz").is_failure(503, "Migrations missing, run manage.py migrate")
    finally:
        MigrationRecorder(connection).record_applied(*newest)  # MongoDB rolls nothing back after a test


# The other errors of the table


def test_too_many_requests_has_its_place_in_the_envelope(
    rest: Rest, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.openapi.check", lambda *_: None)  # no route of the envelope's says so yet
    monkeypatch.setattr("classes.selectors.students_listed", raiser(errors.TooManyRequests(12.3)))
    answer = ask(rest, school, "GET", "/students")
    answer.is_failure(429, "Too many requests")
    assert answer.response["Retry-After"] == "13"


def test_the_messages_are_the_contracts() -> None:
    """The table of errors, word for word."""
    table: dict[tuple[int, str], type[errors.ApiError]] = {
        (400, INVALID): errors.InvalidSchema,
        (400, "Email already exists"): errors.EmailTaken,
        (400, "Invalid email or password"): errors.InvalidCredentials,
        (401, UNAUTHORIZED): errors.Unauthorized,
        (403, "Forbidden, teacher access required"): errors.TeacherOnly,
        (403, "Forbidden, student access required"): errors.StudentOnly,
        (403, "Forbidden, not class teacher"): errors.NotClassTeacher,
        (403, "Forbidden, not enrolled in class"): errors.NotEnrolled,
        (404, "Class not found"): errors.ClassNotFound,
        (404, "User not found"): errors.UserNotFound,
        (404, "Student not found"): errors.StudentNotFound,
        (404, "Not found"): errors.NotFound,
        (405, "Method not allowed"): errors.MethodNotAllowed,
        (413, "Payload too large"): errors.PayloadTooLarge,
        (415, "Unsupported media type"): errors.UnsupportedMediaType,
        (429, "Too many requests"): errors.TooManyRequests,
        (500, "Internal server error"): errors.InternalError,
    }
    assert {(kind.status, kind.message): kind for kind in table.values()} == table
