"""Every protocol shows `""` where it must show the address of a student who has none."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from classes.models import Class, Enrolment
from tests.api.rest import is_served, make_user, token_of
from tests.support import openapi
from tests.support.http import Client

ROUTES = [
    ("/auth/me", "student"),
    ("/students", "teacher"),
    ("/class/{class}", "teacher"),
    ("/class/{class}", "student"),
    ("/api/v1/auth/me", "student"),
    ("/api/v1/class/students", "teacher"),
    ("/api/v1/class/{class}", "teacher"),
    ("/api/v2/me", "student"),
    ("/api/v2/students/search?q=7", "teacher"),
    ("/api/v2/classes/{class}/students", "teacher"),
    ("/api/student/token-login", "student"),
    ("/api/student/classes-info/{student}", "student"),
    ("/api/class/getList/{class}", "teacher"),
]


def addresses(value: Any) -> Iterator[str]:
    """What stands under `email`, anywhere in an answer."""
    if isinstance(value, dict):
        yield from (found for key, found in value.items() if key == "email")
        for below in value.values():
            yield from addresses(below)
    elif isinstance(value, list):
        for below in value:
            yield from addresses(below)


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "asker"), ROUTES)
@pytest.mark.parametrize("hidden", [False, True])
def test_an_answer_shows_an_empty_address(path: str, asker: str, hidden: bool, settings: Any) -> None:
    settings.HIDE_EMAILS = hidden
    teacher = make_user("Tara", "teacher")
    pupil = User.objects.create(name="Asha", roll_number="7", password="!")
    found = Class.objects.create(name="Physics", teacher=teacher)
    Enrolment.objects.create(class_ref=found, student=pupil)
    url = path.replace("{class}", found.id).replace("{student}", pupil.id)
    if not is_served(url.partition("?")[0]):
        pytest.skip("the dialect is deleted")
    token = token_of(pupil if asker == "student" else teacher)
    headers = {"Authorization": f"Bearer {token}" if url.startswith("/api/student") else token}
    answer = Client().get(url, headers=headers)
    openapi.check("GET", url.partition("?")[0], answer.status_code, answer["Content-Type"], answer.content)
    assert answer.status_code < 300, answer.content
    assert "" in set(addresses(answer.json())) <= {"", teacher.email}
