"""What a teacher makes beyond a limit is answered 429, with the time to wait, in each protocol's words."""

from typing import Any

import pytest

from tests.api.rest import School, is_served, token_of
from tests.support.http import Client

pytestmark = pytest.mark.django_db

CANONICAL = {"success": False, "error": "Too many requests"}
ROUTES: dict[str, tuple[Any, Any]] = {
    "/class": ({"className": "Optics"}, CANONICAL),
    "/api/v1/class": ({"className": "Optics"}, CANONICAL),
    "/api/class/create-class": (
        {"classname": "Optics", "batch": "2026", "semester": "3", "department": "Science", "students": []},
        {"error": "Too many requests"},
    ),
    "/auth/signup": ({"name": "A", "email": "a@example.com", "password": "secret1", "role": "student"}, CANONICAL),
    "/api/v1/auth/register": (
        {"name": "A", "email": "a@example.com", "password": "secret1", "role": "student"},
        CANONICAL,
    ),
}


@pytest.mark.parametrize("path", ROUTES)
def test_too_many_are_answered_429_with_the_time_to_wait(school: School, settings: Any, path: str) -> None:
    if not is_served(path):
        pytest.skip("this dialect is deleted")
    settings.LIMIT_CLASSES = settings.LIMIT_SIGNUPS = 1
    body, refusal = ROUTES[path]
    if "students" in body:
        body = {**body, "teacherid": school.owner.id}
    client = Client()
    names = {"className": "More", "classname": "More", "email": "b@example.com"}
    more = {key: names.get(key, value) for key, value in body.items()}
    answers = [
        client.post(path, each, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {token_of(school.owner)}")
        for each in (body, more)
    ]
    assert [answer.status_code for answer in answers] == [201, 429], [answer.content for answer in answers]
    assert 1 <= int(answers[1]["Retry-After"]) <= 600
    assert answers[1].json() == refusal
