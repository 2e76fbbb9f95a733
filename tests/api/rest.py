"""The REST routes through Django's test client, and a small school to ask about (made without hashing a password)."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

from django.apps import apps
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpResponseBase
from django.urls import is_valid_path

from accounts import tokens
from accounts.models import User
from accounts.selectors import actor_of
from attendance.services import session_end, session_start
from classes.models import Class, Enrolment
from tests.support import openapi
from tests.support.http import Client

JSON = "application/json"
#: An id that nobody and nothing has.
UNKNOWN_ID = "f" * 24
INVALID = "Invalid request schema"
UNAUTHORIZED = "Unauthorized, token missing or invalid"


def check_described(response: Any) -> None:
    """Whatever is answered stands in the OpenAPI document."""
    request = response.wsgi_request
    content_type = response.get("Content-Type", "")
    openapi.check(request.method, request.path, response.status_code, content_type, response.content)
    assert response.status_code != 429 or int(response["Retry-After"]) >= 1


def is_served(path: str) -> bool:
    """Whether a route has this path: those of a dialect that was deleted are not tested."""
    return bool(is_valid_path(path))


def success(data: Any) -> dict[str, Any]:
    return {"success": True, "data": data}


def failure(error: str) -> dict[str, Any]:
    return {"success": False, "error": error}


@dataclass
class Answer:
    """One HTTP answer, already known to be JSON in the envelope."""

    response: HttpResponseBase
    status: int
    body: Any

    @property
    def data(self) -> Any:
        assert self.body["success"] is True, self.body
        return self.body["data"]

    def is_failure(self, status: int, error: str) -> None:
        assert (self.status, self.body) == (status, failure(error))


class Rest:
    """`rest("POST", "/class", {"className": "Physics"}, token=…)`; every answer must be the envelope, exactly."""

    #: What stands before a token.
    scheme = ""

    def __init__(
        self, prefix: str = "", successes: tuple[str, ...] = ("data",), failures: tuple[str, ...] = ("error",)
    ):
        """For a protocol below `prefix`, whose envelope may have these keys beside `success`."""
        self.client = Client(raise_request_exception=False)
        self.prefix = prefix
        self.successes, self.failures = successes, failures

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        raw: str | bytes | None = None,
        content_type: str = JSON,
        **headers: str,
    ) -> Answer:
        """`raw` is sent as it stands, `body` as JSON; the path may be percent-encoded."""
        if token is not None:
            headers["Authorization"] = self.scheme + token
        content: str | bytes = raw if raw is not None else "" if body is None else json.dumps(body)
        response: Any = self.client.generic(method, self.prefix + path, content, content_type, headers=headers)
        check_described(response)
        return self.read(path, response)

    def read(self, path: str, response: Any) -> Answer:
        """The answer, which must be as this protocol's are."""
        if path.startswith(("/api-docs", "/invitation/")):  # outside the envelope
            return Answer(response, response.status_code, response.content)
        assert response["Content-Type"] == "application/json; charset=utf-8", response.content
        parsed = json.loads(response.content)
        succeeded = response.status_code < 400
        first, other = parsed
        assert (first, parsed["success"]) == ("success", succeeded), parsed
        assert other in (self.successes if succeeded else self.failures), parsed
        return Answer(response, response.status_code, parsed)

    def get(self, path: str, **options: Any) -> Answer:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self("POST", path, body, **options)


def make_user(name: str, role: str = "student", **fields: Any) -> User:
    """An account that has no password to log in with: there is nothing to hash."""
    user = User(name=name, email=f"{name}@example.com", role=role, password="!", **fields)
    user.save(force_insert=True)
    return user


def token_of(user: User) -> str:
    return tokens.issue(User.objects.get(pk=user.pk))


@dataclass
class School:
    """A class of one teacher with one student, and people who have nothing to do with it."""

    owner: User = field(default_factory=lambda: make_user("Owner", "teacher"))
    other_teacher: User = field(default_factory=lambda: make_user("Other", "teacher"))
    student: User = field(default_factory=lambda: make_user("Student"))
    other_student: User = field(default_factory=lambda: make_user("Stranger"))

    def __post_init__(self) -> None:
        self.physics = Class.objects.create(name="Physics", teacher=self.owner)
        Enrolment.objects.create(class_ref=self.physics, student=self.student)

    @property
    def class_id(self) -> str:
        return str(self.physics.id)

    def start_session(self) -> str:
        """The id of the class's open session."""
        return str(session_start(actor=actor_of(self.owner), class_id=self.class_id).id)

    def finish_session(self) -> None:
        """The class's open session is over, or one is held in which nobody was marked."""
        actor = actor_of(self.owner)
        session_end(session_id=session_start(actor=actor, class_id=self.class_id).id)


def raiser(failed: BaseException) -> Callable[..., NoReturn]:
    """Stands in for a function that fails."""

    def fail(*args: Any, **kwargs: Any) -> NoReturn:
        raise failed

    return fail


def snapshot() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of ours: equal snapshots mean that nothing changed."""
    return {
        model.__name__: _rows(model)
        for app in apps.get_app_configs()
        if app.name.partition(".")[0] in ("accounts", "classes", "attendance", "dialects")
        for model in app.get_models()
    }


def _rows(model: type[Model]) -> list[tuple[Any, ...]]:
    if connection.vendor == "mongodb":
        return list(_all(model))
    with connection.cursor() as cursor:
        cursor.execute(_statement(model))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


@cache
def _statement(model: type[Model]) -> str:
    """To write it takes several times as long as to run it, and a snapshot is some forty of them."""
    return str(_all(model).query)


def _all(model: type[Model]) -> QuerySet[Any, tuple[Any, ...]]:
    return model._default_manager.order_by("pk").values_list()


def unlimited(rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """A snapshot without what limits count: a request that is refused counts, though it changes nothing."""
    return {table: found for table, found in rows.items() if table != "Attempts"}
