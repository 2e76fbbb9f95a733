"""Who may use which route, as a table: what a protocol's own table needs to be asked, and to be known whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from core.errors import StudentOnly, TeacherOnly
from core.rest.permissions import Audience
from tests.api.rest import Answer, Rest, School, snapshot, token_of

WHO = ("nobody", "bad token", "owner", "other teacher", "student", "other student", "superuser")

#: Route name, method, path ({class} is the class's id), then an answer for each of WHO: a status alone is a success,
#: words are the failure that they belong to.
Row = tuple[str, str, str, tuple[int | str, ...]]


@dataclass(frozen=True)
class Table:
    """One protocol's rows. `refusals` has the status and body of each failure, by its words."""

    rows: list[Row]
    refusals: Mapping[str, tuple[int, Any]]
    #: Begins the module of the protocol's views; "" for those that are no dialect's.
    package: str = ""

    def cells(self) -> list[Any]:
        """`(method, path, who, expected)` for `parametrize`."""
        return [
            pytest.param(method, path, who, expected, id=f"{method} {path} by {who}")
            for _, method, path, row in self.rows
            for who, expected in zip(WHO, row, strict=True)
        ]

    def check(self, ask: "Ask", method: str, path: str, who: str, expected: int | str) -> None:
        """Asks, and compares the answer; a refusal must have changed nothing."""
        before = snapshot()
        answer = ask(method, path, who)
        if isinstance(expected, str):
            assert (answer.status, answer.body) == self.refusals[expected]
            assert snapshot() == before
        else:
            assert answer.status == expected, answer.body

    def check_disabled(self, ask: "Ask", who: str) -> None:
        """A disabled person is answered as somebody with a bad token, wherever a token is asked for."""
        User.objects.update(is_active=False)
        for name, method, path, row in self.rows:
            if isinstance(row[0], str):
                answer = ask(method, path, who)
                assert (name, answer.status, answer.body) == (name, *self.refusals[str(row[1])])

    def check_whole(self) -> None:
        """Every route and method has a row and every row a route; views name the audience that the row shows."""
        found = list(self._views())
        rows = {name: (method, row) for name, method, _, row in self.rows}
        assert sorted(name for name, _ in found) == sorted(name for name, *_ in self.rows)
        assert len(rows) == len(self.rows)
        for name, view in found:
            method, row = rows[name]
            assert view.audience is _audience(row), name
            assert [verb for verb in ("get", "post", "put", "patch", "delete") if hasattr(view, verb)] == [
                method.lower()
            ], name

    def _views(self) -> Iterator[tuple[str, Any]]:
        for name, view, _ in routes(get_resolver()):
            dialect = view.__module__.startswith("dialects.")
            if view.__module__.startswith(self.package) if self.package else not dialect:
                yield name, view


def routes(resolver: URLResolver) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """`(name, view class, its options)` of every view of our routes; the admin and the pages have their own rules."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            if str(entry.pattern) not in ("admin/", "app/"):
                yield from routes(entry)
        else:
            assert isinstance(entry, URLPattern)
            callback: Any = entry.callback
            views = [made for method, made in getattr(callback, "by_method", {}).items() if method != "HEAD"]
            for made in views or [callback]:
                yield str(entry.name), getattr(made, "cls", None) or made.view_class, made.initkwargs


def _audience(row: tuple[int | str, ...]) -> Audience:
    if isinstance(row[0], int):
        return Audience.ANYONE
    if TeacherOnly.message in row:
        return Audience.TEACHER
    return Audience.STUDENT if StudentOnly.message in row else Audience.SIGNED_IN


class Ask:
    """`ask("GET", "/class/{class}", "owner")`: a request with the body that `bodies` has for the path."""

    def __init__(self, rest: Rest, school: School, bodies: Mapping[str, Any]) -> None:
        self.rest, self.school, self.bodies = rest, school, bodies
        boss = User(name="Boss", email="boss@example.com", role="teacher", password="!")
        boss.is_staff = boss.is_superuser = True
        boss.save(force_insert=True)
        everybody = (school.owner, school.other_teacher, school.student, school.other_student, boss)
        people = dict(zip(WHO[2:], everybody, strict=True))
        self.tokens = {"nobody": None, "bad token": "bad token", **{who: token_of(people[who]) for who in people}}

    def __call__(self, method: str, path: str, who: str) -> Answer:
        url = path.replace("{class}", self.school.class_id)
        return self.rest(method, url, self.bodies.get(path), token=self.tokens[who])


def without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signing up hashes nothing, and everybody's password is right: passwords have tests of their own."""
    monkeypatch.setattr("accounts.services.user_login", lambda **_: "a token")
    monkeypatch.setattr("accounts.credentials.password_is_right", lambda *_, **__: True)
    monkeypatch.setattr("accounts.credentials.password_reset", lambda **_: "a token")
    monkeypatch.setattr("accounts.passwords.hash_password", lambda _: "!")
