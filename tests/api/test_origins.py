"""ALLOWED_ORIGINS on the routes of every protocol; of sockets, tests/dialects/socketio/test_handshake.py tells."""

from typing import Any

import pytest

from tests.api.rest import is_served
from tests.support.http import Client
from tests.support.origins import LIST, ORIGINS

pytestmark = pytest.mark.one_database("Origins are looked at before any row is read.")

HOST = "attendance.example:3000"
PAGE = "https://school.example"
#: A route of each protocol, and how it says that a page may not ask.
ENVELOPE = {"success": False, "error": "Forbidden"}
ROUTES: dict[str, Any] = {
    "/healthz": ENVELOPE,
    "/nothing": ENVELOPE,
    **{
        path: refusal
        for path, refusal in (("/api/v1/auth/me", ENVELOPE), ("/api/student/token-login", {"error": "Forbidden"}))
        if is_served(path)
    },
}
#: A route of each protocol, and what it answers to OPTIONS.
PREFLIGHTS: list[tuple[str, Any]] = [
    ("/auth/login", {"success": True, "data": {"methods": ["POST", "OPTIONS"]}}),
    ("/api/v1/auth/me", {"success": True, "data": {"methods": ["GET", "HEAD", "OPTIONS"]}}),
    ("/api/student/update", {"methods": ["PUT", "OPTIONS"]}),
]


@pytest.fixture
def listed(settings: Any) -> None:
    settings.ALLOWED_ORIGINS = [origin.strip().rstrip("/") for origin in LIST.split(",")]
    settings.CORS_ALLOW_ALL_ORIGINS = False


def ask(path: str, origin: str | None, method: str = "GET", **headers: str) -> Any:
    given = {} if origin is None else {"Origin": origin.format(host=HOST)}
    return Client(headers={"Host": HOST, **given, **headers}).generic(method, path)


def cors_headers(response: Any) -> dict[str, str]:
    return {name: value for name, value in response.items() if name.lower().startswith("access-control-")}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("origin", ORIGINS)
def test_with_a_list_only_those_pages_are_answered(db: None, listed: None, origin: str | None, path: str) -> None:
    response = ask(path, origin)
    if not ORIGINS[origin]:
        assert (response.status_code, response.json()) == (403, ROUTES[path])
        assert cors_headers(response) == {}
        return
    assert response.status_code == ask(path, None).status_code
    allowed = {} if origin is None else {"access-control-allow-origin": origin.format(host=HOST)}
    assert cors_headers(response) == allowed
    assert "origin" in response["Vary"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("origin", ["https://anywhere.example", "null", None])
def test_without_a_list_every_page_is_answered_and_never_with_credentials(
    db: None, origin: str | None, path: str
) -> None:
    assert cors_headers(ask(path, origin)) == ({} if origin is None else {"access-control-allow-origin": "*"})


@pytest.mark.parametrize(("path", "answer"), [row for row in PREFLIGHTS if is_served(row[0])])
def test_a_preflight_says_what_a_page_may_send_and_asks_for_no_token(
    db: None, listed: None, path: str, answer: Any
) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    response = ask(path, PAGE, "OPTIONS", **asked)
    assert (response.status_code, response.json()) == (200, answer)
    assert cors_headers(response) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-headers": "authorization, content-type, idempotency-key, if-match, if-none-match",
        "access-control-allow-methods": "DELETE, GET, OPTIONS, PATCH, POST, PUT",
        "access-control-max-age": "86400",
    }
    assert ask(path, "https://evil.example", "OPTIONS", **asked).status_code == 403


def test_a_page_can_read_what_was_refused_before_any_route(db: None, listed: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    client = Client(headers={"Host": HOST, "Origin": PAGE})
    response = client.post("/auth/login", {"email": "a@example.com"}, content_type="application/json")
    assert response.status_code == 413
    assert cors_headers(response) == {"access-control-allow-origin": PAGE}


def test_the_admin_answers_pages_of_its_own_and_says_nothing_of_others(db: None, listed: None) -> None:
    for origin in (PAGE, "https://evil.example"):
        response = ask("/admin/login/", origin)
        assert response.status_code == 200
        assert cors_headers(response) == {}
