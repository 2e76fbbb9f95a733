"""Bad bodies and bad paths below `/api/v1` are answered in this contract's words, and change nothing."""

import json
from typing import Any

import pytest

from tests.api.corpus import (
    BAD_EMAILS,
    BAD_PASSWORDS,
    BAD_ROLES,
    HUGE,
    Refuses,
    bad_bodies,
    bad_ids,
    bad_segments,
    near_misses,
)
from tests.api.rest import INVALID, UNKNOWN_ID, Rest, School, failure, snapshot, token_of

GOOD: dict[str, dict[str, Any]] = {
    "/auth/register": {"name": "A", "email": "a@example.com", "password": "secret1", "role": "student"},
    "/auth/login": {"email": "a@example.com", "password": "secret1"},
    "/class": {"className": "Art"},
    "/class/create-class": {"className": "Art"},
    "/class/{class}/add-student": {"studentId": UNKNOWN_ID},
    "/attendance/start": {"className": "Art"},
}
#: The answer to a bad body.
REFUSAL = dict.fromkeys(GOOD, (400, failure(INVALID))) | dict.fromkeys(
    ("/auth/register", "/auth/login"), (422, failure("Invalid request Schema"))
)


@pytest.mark.parametrize("path", list(GOOD))
def test_a_bad_body_is_refused_and_changes_nothing(rest: Rest, school: School, path: str) -> None:
    Refuses(rest, school)(path, bad_bodies(GOOD[path]), *REFUSAL[path])


BLANK = ["", " ", "\n\t", "\u00a0\u2003"]
BAD_VALUES = [
    ("/auth/register", "name", [*BLANK, HUGE, "x" * 256]),
    ("/auth/register", "email", BAD_EMAILS),
    ("/auth/register", "password", BAD_PASSWORDS),
    ("/auth/register", "role", BAD_ROLES),
    ("/auth/login", "email", BAD_EMAILS),
    ("/class", "className", [*BLANK, "ab", " ab ", "\nab\t", HUGE, "x" * 256]),
    ("/class/create-class", "className", [*BLANK, "ab", " ab ", "\nab\t", HUGE, "x" * 256]),
    ("/class/{class}/add-student", "studentId", ["", *(set(bad_ids().values()) - {UNKNOWN_ID})]),
    ("/class/{class}/add-student", "studentId", list(near_misses(UNKNOWN_ID).values())),
    ("/attendance/start", "className", [*BLANK, HUGE, "x" * 256]),
]


@pytest.mark.parametrize(("path", "name", "values"), BAD_VALUES)
def test_a_bad_string_in_a_field_is_refused(
    rest: Rest, school: School, path: str, name: str, values: list[str]
) -> None:
    bodies = {value: json.dumps({**GOOD[path], name: value}) for value in values}
    Refuses(rest, school)(path, bodies, *REFUSAL[path])


PATHS = [
    ("GET", "/class/{}", "owner"),
    ("GET", "/class/{}", "student"),
    ("POST", "/class/{}/add-student", "owner"),
    ("GET", "/attendance/{}/my-attendance", "student"),
]


@pytest.mark.parametrize(("method", "template", "who"), PATHS)
def test_a_bad_id_in_a_path_finds_no_class(rest: Rest, school: School, method: str, template: str, who: str) -> None:
    before, token = snapshot(), token_of(getattr(school, who))
    body = {"studentId": school.other_student.id} if method == "POST" else None
    segments = bad_segments(school.class_id)
    answers = {kind: rest(method, template.format(segment), body, token=token) for kind, segment in segments.items()}
    expected = (404, failure("Class not found"))
    assert {kind: (answer.status, answer.body) for kind, answer in answers.items()} == dict.fromkeys(segments, expected)
    assert snapshot() == before
