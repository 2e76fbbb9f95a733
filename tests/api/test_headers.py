"""What answers say in headers: to browsers of pages, to caches of personal JSON, and about cookies over HTTPS."""

import re
from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from accounts.models import User
from core import hosts
from tests.api.rest import Rest, School, token_of
from tests.support.clients import PASSWORD
from tests.support.http import Client

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.one_database("Headers are the same whatever gave the rows."),
]


def directives(response: Any) -> dict[str, list[str]]:
    policy = response.get("Content-Security-Policy", "")
    return {name: sources for name, *sources in (part.split() for part in policy.split(";") if part.strip())}


@pytest.fixture
def admin(db: None) -> Client:
    """A superuser's browser."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root@example.com", PASSWORD, name="Root"))
    return client


PAGES = [
    *("/admin/", "/admin/login/", "/admin/no/such/page/", "/api-docs", "/invitation/no-such-secret"),
    *("/app/", "/app/sign-in", "/app/classes/", "/app/classes/no-such-class/", "/app/no/such/page"),
    reverse("admin:second-factor"),
    *(
        reverse(f"admin:{name}")
        for name in ("accounts_user_changelist", "accounts_user_add", "attendance_session_changelist")
    ),
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_policy_that_allows_nothing_inline_and_nobody_else(admin: Client, path: str) -> None:
    response = admin.get(path)
    assert response["Content-Type"].startswith("text/html")
    policy = directives(response)
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    sources = {source for each in policy.values() for source in each}
    assert sources <= {"'none'", "'self'", "data:"}, "no `unsafe-…`, and no other origin"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_anything_inline_that_its_policy_would_refuse(admin: Client, path: str) -> None:
    text = admin.get(path).content.decode()
    inline = [tag for tag, content in re.findall(r"(<script[^>]*>)(.*?)</script>", text, re.DOTALL) if content.strip()]
    assert [tag for tag in inline if "application/json" not in tag] == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", text) == []


def test_a_pages_own_policy_stays(rest: Rest) -> None:
    policy = directives(rest.client.get("/invitation/no-such-secret"))
    assert "script-src" not in policy


def test_with_debug_djangos_own_error_pages_have_no_policy(settings: Any) -> None:
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["*"]
    client = Client(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_superuser("root@example.com", PASSWORD, name="Root"))
    assert directives(client.get("/admin/no/such/page/")) == {}
    assert directives(client.get("/admin/")) != {}


def test_nothing_keeps_json(rest: Rest, school: School) -> None:
    token = token_of(school.owner)
    for path, status in (("/auth/me", 200), ("/students", 200), ("/nothing", 404), ("/class/no-id", 404)):
        answer = rest.get(path, token=token)
        assert (answer.status, answer.response["Cache-Control"]) == (status, "no-store"), path
    assert rest.get("/auth/me").response["Cache-Control"] == "no-store"
    login = {"email": "nobody@example.com", "password": PASSWORD}
    assert rest.post("/auth/login", login).response["Cache-Control"] == "no-store"


def test_an_answer_with_a_tag_is_kept_by_its_client_alone_which_asks_before_each_use(
    rest: Rest, school: School
) -> None:
    token = token_of(school.owner)
    path = f"/class/{school.class_id}"
    first = rest.get(path, token=token).response
    assert first["Cache-Control"] == "private, no-cache"
    again = rest.client.get(path, headers={"Authorization": token, "If-None-Match": first["ETag"]})
    assert (again.status_code, again["Cache-Control"]) == (304, "private, no-cache")


def sign_in(client: Client, **options: Any) -> Any:
    person = User.objects.create_superuser("boss@example.com", PASSWORD, name="Boss")
    return client.post("/admin/login/", {"username": person.email, "password": PASSWORD}, **options)


def test_over_https_every_cookie_is_secure() -> None:
    response = sign_in(Client(), secure=True)
    assert {name: bool(cookie["secure"]) for name, cookie in response.cookies.items()} == dict.fromkeys(
        response.cookies, True
    )
    assert len(response.cookies) >= 2


def test_over_plain_http_a_cookie_can_come_back() -> None:
    response = sign_in(Client())
    assert response.cookies
    assert not any(cookie["secure"] for cookie in response.cookies.values())


@pytest.mark.parametrize(("seconds", "header"), [(0, None), (31_536_000, "max-age=31536000")])
def test_hsts_is_said_over_https_where_the_setting_says_so(settings: Any, seconds: int, header: str | None) -> None:
    settings.SECURE_HSTS_SECONDS = seconds
    settings.DEBUG = True  # the middleware are made anew, and read the setting
    client = Client()
    assert client.get("/healthz", secure=True).get("Strict-Transport-Security") == header
    assert client.get("/healthz").get("Strict-Transport-Security") is None


@pytest.mark.parametrize("path", hosts.ANY_HOST_PATHS)
def test_health_and_metrics_answer_whatever_the_host(settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS = ["attendance.example"]
    settings.METRICS = [ip_network("127.0.0.1/32")]
    for host in ("10.0.0.7:3000", "attendance.example", "no host at all"):
        assert Client(headers={"Host": host}).get(path).status_code == 200


@pytest.mark.parametrize("path", ["/auth/me", "/healthz/more", "/admin/"])
def test_every_other_route_refuses_a_host_that_is_not_listed(settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS = ["attendance.example"]
    assert Client(headers={"Host": "other.example"}).get(path).status_code == 400
    assert Client(headers={"Host": "attendance.example:3000"}).get(path).status_code != 400
