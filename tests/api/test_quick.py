"""The quick way says what the plain way says, or leaves it to the plain way.

Whatever a test asks by `tests.support.http.Client`, the quick way is asked too, and status, body and headers are
compared (`tests.support.quick`): the tables of permissions cover both. Here are requests of every shape, and what a
comparison does not show.
"""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import InterfaceError
from django.urls import get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import tokens
from accounts.models import User
from attendance.models import Session
from audit.middleware import note
from audit.models import Entry
from audit.trail import trail
from classes.models import Enrolment
from core.database.unit_of_work import WouldWrite, only_reading, unit_of_work
from core.rest.quick import Answer, Quick
from tests.api.permissions import routes
from tests.api.rest import UNKNOWN_ID, Rest, School, token_of

#: The routes that a class asks at once.
QUICK = {
    *("me", "class-detail", "my-attendance", "attendance-my-attendance", "attendance-start"),
    *("v2-lessons", "v2-session", "attentrack-get"),
}
READS = [
    *("/auth/me", "/class/{class}", "/class/{class}/my-attendance", "/attendance/{class}/my-attendance"),
    *("/api/v2/lessons", "/api/v2/sessions/{session}", "/getAttendance"),
]


def test_the_routes_that_a_class_asks_at_once_are_quick_and_no_others() -> None:
    found = {name for name, view, _ in routes(get_resolver()) if getattr(view, "quick", False)}
    assert found == {name for name in QUICK if found >= {name} or not name.startswith(("v2-", "attentrack-"))}


ORIGINS = [None, "http://testserver", "https://elsewhere.example", "null", "nonsense://", ""]
LANGUAGES = [None, "de", "fr-CH, fr;q=0.9", "xx", "*", ""]
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept": st.sampled_from(["*/*", "text/html", "application/xml;q=0.1", "nonsense"]),
        "Host": st.sampled_from(["testserver", "testserver:3000", "elsewhere.example", "a b", "localhost"]),
        "Cookie": st.sampled_from(["django_language=de", "sessionid=1", "nonsense"]),
        "If-None-Match": st.sampled_from(["*", '"other"', "nonsense", ""]),
        "Range": st.just("bytes=0-1"),
        "X-Forwarded-Proto": st.just("https"),
        "X-Http-Method-Override": st.just("DELETE"),
        "Idempotency-Key": st.just("a key"),
        "User-Agent": st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8),
    },
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    method=st.sampled_from(["GET"] * 6 + ["HEAD", "OPTIONS", "POST", "DELETE"]),
    path=st.sampled_from(READS),
    ids=st.sampled_from(["own"] * 5 + [UNKNOWN_ID, "no id", "%00", "é", "a%2Fb", "x" * 300]),
    end=st.sampled_from(["", "", "/", "//", "?day=2025-03-11", "?day=nonsense", "?format=xml"]),
    who=st.sampled_from(["owner", "student", "other_teacher", "other_student", "nobody", "junk"]),
    scheme=st.sampled_from(["", "Bearer ", "bearer  ", "Basic "]),
    origin=st.sampled_from(ORIGINS),
    language=st.sampled_from(LANGUAGES),
    headers=HEADERS,
    secure=st.booleans(),
    body=st.sampled_from(["", "", "{}", "x"]),
)
def test_requests_of_every_shape_are_answered_alike_on_both_ways(
    rest: Rest,
    school: School,
    method: str,
    path: str,
    ids: str,
    end: str,
    who: str,
    scheme: str,
    origin: str | None,
    language: str | None,
    headers: dict[str, str],
    secure: bool,
    body: str,
) -> None:
    own = {"class": school.class_id, "session": str(Session.objects.values_list("id", flat=True).first())}
    names = own if ids == "own" else dict.fromkeys(own, ids)
    token = {"nobody": None, "junk": "junk"}.get(who, ...)
    told = token_of(getattr(school, who)) if token is ... else token
    for name, value in (("Origin", origin), ("Accept-Language", language), ("Authorization", told)):
        if value is not None:
            headers = {**headers, name: scheme + value if name == "Authorization" else value}
    rest.client.generic(method, path.format_map(names) + end, body, headers=headers, secure=secure)


@pytest.fixture(autouse=True)
def a_session(request: pytest.FixtureRequest) -> None:
    """The school has had a session, where there is a school."""
    if "school" in request.fixturenames:
        request.getfixturevalue("school").finish_session()


@pytest.fixture
def quick(db: None) -> Quick:
    """The quick way as the server has it, but for closing connections."""
    return Quick(WSGIHandler(), note, finish=lambda: None)


def environ(method: str, path: str, token: str, body: bytes = b"", **more: str) -> dict[str, Any]:
    """A request as the server makes it."""
    length = {"CONTENT_LENGTH": str(len(body))} if body else {}
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "CONTENT_TYPE": "application/json",
        "HTTP_AUTHORIZATION": token,
        **length,
        **more,
    }


def test_what_is_refused_or_has_changed_is_so_at_once(quick: Quick, school: School) -> None:
    def ask(path: str, token: str) -> Answer | None:
        return quick(environ("GET", path, token))

    token = token_of(school.student)
    path = f"/class/{school.class_id}"
    assert ask(path, token) is not None
    assert ask(f"{path}/my-attendance", token) is not None
    Enrolment.objects.all().delete()
    assert ask(path, token) is None
    assert ask(f"{path}/my-attendance", token) is None
    assert ask("/auth/me", token) is not None
    tokens.void(tokens.read(token))
    assert ask("/auth/me", token) is None
    other = token_of(school.owner)
    assert ask(path, other) is not None
    User.objects.filter(pk=school.owner.pk).update(role="student")
    assert ask(path, other) is None


def test_a_start_that_changes_something_is_left_to_the_plain_way_with_its_body(quick: Quick, school: School) -> None:
    body = b'{"classId":"%b"}' % school.class_id.encode()
    asked = environ("POST", "/attendance/start", token_of(school.owner), body)
    assert quick(asked) is None
    assert asked["wsgi.input"].read() == body
    assert not Session.objects.filter(state="open").exists()
    school.start_session()
    answer = quick(environ("POST", "/attendance/start", token_of(school.owner), body))
    assert answer is not None
    assert school.class_id.encode() in answer[1]


def test_the_audit_log_is_told_the_same(quick: Quick, rest: Rest, school: School) -> None:
    token, path = token_of(school.owner), f"/class/{school.class_id}"
    trail.flush()
    Entry.objects.all().delete()
    asked: list[Callable[[], Any]] = [
        lambda: rest.get(path, token=token),
        lambda: quick(environ("GET", path, token, REMOTE_ADDR="127.0.0.1")),
    ]
    for ask in asked:
        assert ask() is not None
        trail.flush()
    columns = ("action", "outcome", "way", "actor", "kind", "thing", "times")
    plain, other = Entry.objects.order_by("id").values_list(*columns)
    assert plain == other
    trail.flush()


def test_nobody_waits_twice_for_a_database_that_is_away(
    quick: Quick, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = environ("GET", "/auth/me", token_of(school.student))
    away = _Failing(InterfaceError("gone"))
    monkeypatch.setattr("accounts.tokens.authenticate", away)
    monkeypatch.setattr("core.rest.quick.is_unavailable", lambda failure: True)
    monkeypatch.setattr("core.rest.envelope.is_unavailable", lambda failure: True)
    told: list[str] = []
    plain: Any = WSGIHandler()
    assert quick(asked) is None
    plain(asked, lambda status, headers: told.append(status))
    assert told == ["503 Service Unavailable"]
    assert away.calls == 1


class _Failing:
    """A function that fails, and counts."""

    def __init__(self, failure: Exception) -> None:
        self.failure, self.calls = failure, 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        raise self.failure


def test_where_only_reading_is_allowed_no_unit_of_work_begins(db: None) -> None:
    @unit_of_work
    def write() -> None:
        raise AssertionError("it has begun")

    with only_reading(), pytest.raises(WouldWrite):
        write()
    with pytest.raises(AssertionError):
        write()
