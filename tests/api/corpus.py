"""Bodies and ids as no client of good will sends them, for every protocol that takes JSON over HTTP.

A builder takes a good body and gives what is to be refused, by what is wrong with it.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from tests.api.rest import UNKNOWN_ID, Rest, School, snapshot, token_of

Body = dict[str, Any]
Bodies = Mapping[str, str | bytes]
DEEP = 1000


class Refuses:
    """`refuses(path, {what: raw, …}, status, body)`: each of the bodies is answered so and changes no table."""

    def __init__(self, rest: Rest, school: School) -> None:
        self.rest, self.school, self.token = rest, school, token_of(school.owner)
        self.before = snapshot()

    def __call__(self, path: str, bodies: Bodies, status: int, body: Any) -> None:
        url = path.replace("{class}", self.school.class_id)
        taken = {}
        for what, raw in bodies.items():
            answer = self.rest.post(url, raw=raw, token=self.token)
            if (answer.status, answer.body) != (status, body):
                taken[what] = (answer.status, answer.body)
        assert taken == {}
        assert snapshot() == self.before


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

NO_STRINGS = ["5", "0", "-1", "1.5", "true", "false", "null", "[]", '["a"]', "{}", '{"$ne": 1}', '{"$gt": ""}']


def with_extra(good: Body, extra: str) -> str:
    """The good body with a field `extra` besides, spelled as given."""
    return json.dumps(good)[:-1] + f', "extra": {extra}}}'


def with_value(good: Body, name: str, value: str) -> str:
    """The good body with the field `name` spelled as given."""
    others = {other: field for other, field in good.items() if other != name}
    return json.dumps(others)[:-1] + (", " if others else "") + f'"{name}": {value}}}'


def bad_extras(good: Body) -> Bodies:
    """Bad JSON in a field that nobody reads."""
    return {how: with_extra(good, value) for how, value in BAD_ANYWHERE.items()}


def bad_values(good: Body, name: str) -> Bodies:
    """Bad JSON in a field."""
    return {how: with_value(good, name, value) for how, value in BAD_ANYWHERE.items()}


def bad_utf8(good: Body, name: str) -> Bodies:
    """A string that is no text."""
    body = with_value(good, name, '"BAD@example.com"').encode()
    bad_bytes = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82")
    return {str(bad): body.replace(b"BAD", bad) for bad in bad_bytes}


def doubled_keys(good: Body) -> Bodies:
    """A key given twice, both times with a good value."""
    name, value = next(iter(good.items()))
    start = json.dumps(good)[:-1]
    return {name: start + f", {json.dumps(name)}: {json.dumps(value)}}}", "x": start + ', "x": 1, "x": 1}'}


def no_strings(good: Body, name: str) -> Bodies:
    """Something else than a string."""
    return {value: with_value(good, name, value) for value in [*NO_STRINGS, json.dumps([good[name]])]}


def without(good: Body, name: str) -> Bodies:
    """A field is missing, or is spelled in another letter case, which makes it another field."""
    others = {other: value for other, value in good.items() if other != name}
    return {"missing": json.dumps(others), "upper case": json.dumps({**others, name.upper(): good[name]})}


def bad_bodies(good: Body) -> Bodies:
    """All of the above."""
    found: dict[str, str | bytes] = {**NOT_OBJECTS}
    for what, bodies in {"extra": bad_extras(good), "twice": doubled_keys(good)}.items():
        found |= {f"{what}: {how}": raw for how, raw in bodies.items()}
    for name in good:
        for build in (bad_values, bad_utf8, no_strings, without):
            found |= {f"{name}: {build.__name__}: {how}": raw for how, raw in build(good, name).items()}
    return found


HUGE = "x" * 100_000
BAD_EMAILS = [
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
]
BAD_PASSWORDS = ["", "12345", "ééééé"]
BAD_ROLES = ["", "admin", "teachers", " teacher", "teacher ", "teacher\n", "superuser", HUGE]


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


STRANGE_BYTES = ["%00", "%0A", "%20", "%FF", "%C0%AE", "a%00b", "%ED%A0%80", "%"]


def bad_segments(real: str) -> dict[str, str]:
    """Parts of a path, percent-encoded, that are not the id `real` nor any other."""
    segments = {kind: quote(text, safe="") for kind, text in {**bad_ids(), **near_misses(real)}.items()}
    for text in STRANGE_BYTES:
        segments |= {text: text, f"id and {text}": real + text}
    return segments
