"""Whatever a body or a path holds, the answer is the contract's and nothing in the database changes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from classes.models import Class
from tests.api import corpus
from tests.api.corpus import BAD_EMAILS, BAD_PASSWORDS, BAD_ROLES, HUGE, bad_ids, bad_segments, near_misses
from tests.api.rest import INVALID, UNKNOWN_ID, Rest, School, failure, snapshot, token_of

GOOD: dict[str, dict[str, Any]] = {
    "/auth/signup": {"name": "A", "email": "a@example.com", "password": "secret1", "role": "student"},
    "/auth/login": {"email": "a@example.com", "password": "secret1"},
    "/class": {"className": "A"},
    "/class/{class}/add-student": {"studentId": UNKNOWN_ID},
    "/attendance/start": {"classId": UNKNOWN_ID},
}
FIELDS = [(path, name) for path, body in GOOD.items() for name in body]

Refuses = Callable[[str, corpus.Bodies], None]


@pytest.fixture
def refuses(rest: Rest, school: School) -> Refuses:
    """`refuses(path, {what: raw, …})`: each of the bodies is invalid, and leaves every table as it was."""
    refuse = corpus.Refuses(rest, school)
    return lambda path, bodies: refuse(path, bodies, 400, failure(INVALID))


@pytest.mark.parametrize("path", list(GOOD))
def test_a_body_that_is_no_good_object_is_refused(refuses: Refuses, path: str) -> None:
    refuses(path, corpus.NOT_OBJECTS)


@pytest.mark.parametrize("path", list(GOOD))
def test_bad_json_in_a_field_that_nobody_reads_is_refused(refuses: Refuses, path: str) -> None:
    refuses(path, corpus.bad_extras(GOOD[path]))


@pytest.mark.parametrize(("path", "name"), FIELDS)
def test_bad_json_in_a_field_is_refused(refuses: Refuses, path: str, name: str) -> None:
    refuses(path, corpus.bad_values(GOOD[path], name))


@pytest.mark.parametrize(("path", "name"), FIELDS)
def test_invalid_utf8_in_a_field_is_refused(refuses: Refuses, path: str, name: str) -> None:
    refuses(path, corpus.bad_utf8(GOOD[path], name))


@pytest.mark.parametrize("path", list(GOOD))
def test_a_key_given_twice_is_refused_though_both_are_good(refuses: Refuses, path: str) -> None:
    refuses(path, corpus.doubled_keys(GOOD[path]))


@pytest.mark.parametrize(("path", "name"), FIELDS)
def test_a_field_that_is_no_string_is_refused(refuses: Refuses, path: str, name: str) -> None:
    refuses(path, corpus.no_strings(GOOD[path], name))


@pytest.mark.parametrize(("path", "name"), FIELDS)
def test_a_field_that_is_missing_or_in_another_letter_case_is_refused(refuses: Refuses, path: str, name: str) -> None:
    refuses(path, corpus.without(GOOD[path], name))


BAD_VALUES = [
    ("/auth/signup", "name", ["", HUGE]),
    ("/auth/signup", "email", BAD_EMAILS),
    ("/auth/signup", "password", BAD_PASSWORDS),
    ("/auth/signup", "role", BAD_ROLES),
    ("/auth/login", "email", ["", "a", "a@example.com ", f"{HUGE}@example.com"]),
    ("/class", "className", ["", " ", "\n\t", "\u00a0\u2003", "\u200b\ufeff ", HUGE, HUGE + " "]),
]


@pytest.mark.parametrize(("path", "name", "values"), BAD_VALUES)
def test_a_string_that_its_field_does_not_take_is_refused(
    refuses: Refuses, path: str, name: str, values: list[str]
) -> None:
    refuses(path, {value[:40]: json.dumps({**GOOD[path], name: value}) for value in values})


@pytest.mark.parametrize("extra", ["null", "[1, 2.5, -0, 1e300]", str(2**64 - 1), str(-(2**63)), r'"\ud83d\ude00\t"'])
@pytest.mark.parametrize("path", list(GOOD))
def test_an_unknown_field_with_good_json_is_ignored(
    rest: Rest, school: School, monkeypatch: pytest.MonkeyPatch, path: str, extra: str
) -> None:
    monkeypatch.setattr("accounts.passwords.hash_password", lambda _: "!")  # what it comes to is not asked here
    token, url = token_of(school.owner), path.replace("{class}", school.class_id)
    with_it = rest.post(url, raw=corpus.with_extra(GOOD[path], extra), token=token)
    User.objects.filter(email="a@example.com").delete()
    without = rest.post(url, GOOD[path], token=token)
    assert with_it.status == without.status
    assert with_it.body.get("error") == without.body.get("error") != INVALID


def test_32_levels_are_not_too_many(rest: Rest, school: School) -> None:
    body = '{"className": "A", "extra": ' + "[" * 31 + "]" * 31 + "}"
    assert rest.post("/class", raw=body, token=token_of(school.owner)).status == 201


def test_a_string_full_of_brackets_is_a_string(rest: Rest, school: School) -> None:
    answer = rest.post("/class", {"className": "[{" * 100}, token=token_of(school.owner))
    assert (answer.status, answer.data["className"]) == (201, "[{" * 100)


def test_a_name_of_255_characters_is_taken_and_one_of_256_is_not(rest: Rest, school: School) -> None:
    token = token_of(school.owner)
    assert rest.post("/class", {"className": " " + "é" * 255 + " "}, token=token).data["className"] == "é" * 255
    rest.post("/class", {"className": "é" * 256}, token=token).is_failure(400, INVALID)


# Ids

#: Path templates with the owner's or the student's id-taking routes.
PATHS = [
    ("GET", "/class/{}", "owner"),
    ("GET", "/class/{}", "student"),
    ("POST", "/class/{}/add-student", "owner"),
    ("GET", "/class/{}/my-attendance", "student"),
    ("GET", "/attendance/{}/my-attendance", "student"),
]


@pytest.mark.parametrize(("method", "template", "who"), PATHS)
def test_a_bad_id_in_a_path_is_no_class(rest: Rest, school: School, method: str, template: str, who: str) -> None:
    real, before, token = school.class_id, snapshot(), token_of(getattr(school, who))
    body = {"studentId": school.other_student.id} if method == "POST" else None
    segments = bad_segments(real)
    answers = {kind: rest(method, template.format(segment), body, token=token) for kind, segment in segments.items()}
    expected = (404, failure("Class not found"))
    assert {kind: (answer.status, answer.body) for kind, answer in answers.items()} == dict.fromkeys(segments, expected)
    assert snapshot() == before


#: Bodies with an id, and what an unknown one is answered.
ID_FIELDS = [
    ("/class/{class}/add-student", "studentId", "Student not found"),
    ("/attendance/start", "classId", "Class not found"),
]


@pytest.mark.parametrize(("path", "name", "message"), ID_FIELDS)
def test_a_bad_id_in_a_body_is_nothing_that_we_know(
    rest: Rest, school: School, path: str, name: str, message: str
) -> None:
    real, before, token = school.other_student.id, snapshot(), token_of(school.owner)
    if name == "classId":
        real = school.class_id
    url = path.replace("{class}", school.class_id)
    given = {**bad_ids(), **near_misses(real), "empty": ""}
    answers = {kind: rest.post(url, {name: text}, token=token) for kind, text in given.items()}
    expected = dict.fromkeys(given, (404, failure(message)))
    expected["NUL after"] = (400, failure(INVALID))  # NUL is refused wherever it stands
    assert {kind: (answer.status, answer.body) for kind, answer in answers.items()} == expected
    assert snapshot() == before


def test_an_id_in_upper_case_is_the_same_id_everywhere(rest: Rest, school: School) -> None:
    class_id = "ab" * 12
    teacher, student = token_of(school.owner), token_of(school.other_student)
    Class.objects.create(id=class_id, name="Art", teacher=school.owner)
    upper = {"classId": class_id.upper()}
    added = rest.post(
        f"/class/{class_id.upper()}/add-student", {"studentId": school.other_student.id.upper()}, token=teacher
    )
    assert (added.data["_id"], added.data["studentIds"]) == (class_id, [school.other_student.id])
    assert rest.get(f"/class/{class_id.upper()}", token=student).data["_id"] == class_id
    assert rest.post("/attendance/start", upper, token=teacher).data["classId"] == class_id


def test_another_kinds_id_is_unknown(rest: Rest, school: School) -> None:
    token = token_of(school.owner)
    rest.get(f"/class/{school.owner.id}", token=token).is_failure(404, "Class not found")
    rest.post("/attendance/start", {"classId": school.owner.id}, token=token).is_failure(404, "Class not found")
