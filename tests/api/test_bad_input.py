"""Whatever a body or a path holds, the answer is the contract's and nothing in the database changes."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from accounts.models import User
from classes.models import Class
from tests.api.rest import INVALID, UNKNOWN_ID, Rest, School, failure, snapshot, token_of

DEEP = 1000
GOOD: dict[str, dict[str, Any]] = {
    "/auth/signup": {"name": "A", "email": "a@example.com", "password": "secret1", "role": "student"},
    "/auth/login": {"email": "a@example.com", "password": "secret1"},
    "/class": {"className": "A"},
    "/class/{class}/add-student": {"studentId": UNKNOWN_ID},
    "/attendance/start": {"classId": UNKNOWN_ID},
}
FIELDS = [(path, name) for path, body in GOOD.items() for name in body]


class Refuses:
    """`refuses(path, {what: raw, …})`: each of the bodies is invalid, and leaves every table as it was."""

    def __init__(self, rest: Rest, school: School) -> None:
        self.rest, self.school, self.token = rest, school, token_of(school.owner)
        self.before = snapshot()

    def __call__(self, path: str, bodies: Mapping[Any, str | bytes]) -> None:
        url = path.replace("{class}", self.school.class_id)
        taken = {}
        for what, raw in bodies.items():
            answer = self.rest.post(url, raw=raw, token=self.token)
            if (answer.status, answer.body) != (400, failure(INVALID)):
                taken[what] = (answer.status, answer.body)
        assert taken == {}
        assert snapshot() == self.before


@pytest.fixture
def refuses(rest: Rest, school: School) -> Refuses:
    return Refuses(rest, school)


def with_extra(path: str, extra: str) -> str:
    """A good body of `path` with a field `extra` besides, spelled as given."""
    return json.dumps(GOOD[path])[:-1] + f', "extra": {extra}}}'


def with_value(path: str, name: str, value: str) -> str:
    """A good body of `path` with the field `name` spelled as given."""
    others = {other: field for other, field in GOOD[path].items() if other != name}
    return json.dumps(others)[:-1] + (", " if others else "") + f'"{name}": {value}}}'


NOT_OBJECTS: dict[str, str | bytes] = {
    "empty": "",
    "blank": "  \n",
    "not JSON": "name=A",
    "half": '{"name": "A"',
    "half a string": '{"name": "A',
    "trailing comma": '{"name": "A",}',
    "single quotes": "{'name': 'A'}",
    "comment": '{"name": "A"} // x',
    "two values": "{}{}",
    "bare word": "undefined",
    "array": "[]",
    "array of objects": '[{"name": "A"}]',
    "string": '"name"',
    "number": "5",
    "true": "true",
    "null": "null",
    "empty object": "{}",
    "infinite": "Infinity",
    "NaN": "NaN",
    "deep arrays": "[" * DEEP + "]" * DEEP,
    "deep objects": '{"a":' * DEEP + "1" + "}" * DEEP,
    "very deep": "[" * 300_000,
    "a million digits": "1" * 1_000_000,
    "NUL": "\0",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"name": "A"}'.encode("utf-16"),
    "invalid UTF-8": b"\xff\xfe{}",
}


@pytest.mark.parametrize("path", list(GOOD))
def test_a_body_that_is_no_good_object_is_refused(refuses: Refuses, path: str) -> None:
    refuses(path, NOT_OBJECTS)


BAD_ANYWHERE = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "too great": "1e999",
    "too small": "-1e999",
    "beyond 64 bits": str(2**64),
    "beyond 64 bits below": str(-(2**63) - 1),
    "hundred digits": "9" * 100,
    "ten thousand digits": "9" * 10_000,
    "NUL": r'"a\u0000b"',
    "raw NUL": '"a\0b"',
    "high surrogate": r'"\ud800"',
    "low surrogate": r'"\udc00x"',
    "surrogates in the wrong order": r'"\udc00\ud800"',
    "NUL in a key": r'{"a\u0000": 1}',
    "surrogate in a key": r'{"\ud800": 1}',
    "NUL deep inside": r'[{"a": ["\u0000"]}]',
    "duplicate key inside": '{"a": 1, "a": 1}',
    "duplicate key by an escape": r'{"a": 1, "\u0061": 2}',
    "deep arrays": "[" * DEEP + "]" * DEEP,
    "deep objects": '{"a":' * DEEP + "1" + "}" * DEEP,
    "33 levels": "[" * 33 + "]" * 33,
    "raw line feed": '"a\nb"',
    "leading zero": "01",
    "hex": "0x1",
    "plus": "+1",
}


@pytest.mark.parametrize("path", list(GOOD))
def test_bad_json_in_a_field_that_nobody_reads_is_refused(refuses: Refuses, path: str) -> None:
    refuses(path, {how: with_extra(path, value) for how, value in BAD_ANYWHERE.items()})


@pytest.mark.parametrize(("path", "name"), FIELDS)
def test_bad_json_in_a_field_is_refused(refuses: Refuses, path: str, name: str) -> None:
    refuses(path, {how: with_value(path, name, value) for how, value in BAD_ANYWHERE.items()})


@pytest.mark.parametrize(("path", "name"), FIELDS)
def test_invalid_utf8_in_a_field_is_refused(refuses: Refuses, path: str, name: str) -> None:
    body = with_value(path, name, '"BAD@example.com"').encode()
    bad_bytes = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82")
    refuses(path, {bad: body.replace(b"BAD", bad) for bad in bad_bytes})


@pytest.mark.parametrize("path", list(GOOD))
def test_a_key_given_twice_is_refused_though_both_are_good(refuses: Refuses, path: str) -> None:
    name, value = next(iter(GOOD[path].items()))
    start = json.dumps(GOOD[path])[:-1]
    refuses(path, {name: start + f", {json.dumps(name)}: {json.dumps(value)}}}", "x": start + ', "x": 1, "x": 1}'})


NO_STRINGS = ["5", "0", "-1", "1.5", "true", "false", "null", "[]", '["a"]', "{}", '{"$ne": 1}', '{"$gt": ""}']


@pytest.mark.parametrize(("path", "name"), FIELDS)
def test_a_field_that_is_no_string_is_refused(refuses: Refuses, path: str, name: str) -> None:
    one = json.dumps([GOOD[path][name]])
    refuses(path, {value: with_value(path, name, value) for value in [*NO_STRINGS, one]})


@pytest.mark.parametrize(("path", "name"), FIELDS)
def test_a_missing_field_is_refused(refuses: Refuses, path: str, name: str) -> None:
    refuses(path, {name: json.dumps({other: value for other, value in GOOD[path].items() if other != name})})


@pytest.mark.parametrize(("path", "name"), FIELDS)
def test_a_field_in_another_letter_case_is_another_field(refuses: Refuses, path: str, name: str) -> None:
    renamed = {key.upper() if key == name else key: value for key, value in GOOD[path].items()}
    refuses(path, {name: json.dumps(renamed)})


HUGE = "x" * 100_000
BAD_VALUES = [
    ("/auth/signup", "name", ["", HUGE]),
    (
        "/auth/signup",
        "email",
        [
            "",
            " ",
            "a",
            "a@",
            "@example.com",
            "a@b",
            "a@localhost",
            "a b@example.com",
            "a@example.com ",
            " a@example.com",
            "a@example.com\n",
            "a@exa mple.com",
            "a@@example.com",
            "a@example..com",
            "a,b@example.com",
            "A <a@example.com>",
            "a@example.com,b@example.com",
            f"{HUGE}@example.com",
            f"a@{HUGE}.com",
        ],
    ),
    ("/auth/signup", "password", ["", "12345", "ééééé"]),
    ("/auth/signup", "role", ["", "admin", "teachers", " teacher", "teacher ", "teacher\n", "superuser", HUGE]),
    ("/auth/login", "email", ["", "a", "a@example.com ", f"{HUGE}@example.com"]),
    ("/class", "className", ["", " ", "\n\t", "\u00a0\u2003", HUGE, HUGE + " "]),
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
    with_it = rest.post(url, raw=with_extra(path, extra), token=token)
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


def bad_ids() -> dict[str, str]:
    """Strings that are no id of anything."""
    return {
        "abc": "abc",
        "23 digits": "a" * 23,
        "25 digits": "a" * 25,
        "no hex": "z" * 24,
        "full-width": "\uff11" * 24,
        "full-width letters": "\uff41" * 24,
        "Arabic digits": "\u0661" * 24,
        "unknown": UNKNOWN_ID,
        "NUL": "a" * 24 + "%00",
        "$ne": '{"$ne":1}',
        "list": "[]",
        "null": "null",
        "undefined": "undefined",
        "true": "true",
        "5": "5",
        "SQL": "' OR 1=1--",
        "UUID": "123e4567-e89b-12d3-a456-426614174000",
        "hex prefix": "0x" + "a" * 22,
        "dots": "...",
        "emoji": "😀" * 24,
        "long": "a" * 5000,
        "star": "*",
        "comma": f"{UNKNOWN_ID},{UNKNOWN_ID}",
    }


def near_misses(real: str) -> dict[str, str]:
    """Strings that a careless reader would take for the id `real`."""
    return {
        "trailing newline": real + "\n",
        "leading space": " " + real,
        "trailing space": real + " ",
        "trailing tab": real + "\t",
        "leading zero": "0" + real,
        "one short": real[:-1],
        "NUL after": real + "\x00",
        "quoted": f'"{real}"',
        "ObjectId": f'ObjectId("{real}")',
        "zero width": real + "\u200b",
        "$oid": json.dumps({"$oid": real}),
        "twice": real + real,
    }


#: Path templates with the owner's or the student's id-taking routes.
PATHS = [
    ("GET", "/class/{}", "owner"),
    ("GET", "/class/{}", "student"),
    ("POST", "/class/{}/add-student", "owner"),
    ("GET", "/class/{}/my-attendance", "student"),
    ("GET", "/attendance/{}/my-attendance", "student"),
]
STRANGE_BYTES = ["%00", "%0A", "%20", "%FF", "%C0%AE", "a%00b", "%ED%A0%80", "%"]


@pytest.mark.parametrize(("method", "template", "who"), PATHS)
def test_a_bad_id_in_a_path_is_no_class(rest: Rest, school: School, method: str, template: str, who: str) -> None:
    real, before, token = school.class_id, snapshot(), token_of(getattr(school, who))
    body = {"studentId": school.other_student.id} if method == "POST" else None
    segments = {kind: quote(text, safe="") for kind, text in {**bad_ids(), **near_misses(real)}.items()}
    for text in STRANGE_BYTES:
        segments |= {text: text, f"id and {text}": real + text}
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
