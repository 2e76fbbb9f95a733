"""core.rest.rendered: JSON as answers have it, and what is rendered once a version."""

import json
from functools import partial
from typing import Any

import pytest
from rest_framework.renderers import JSONRenderer

from core.rest.rendered import RenderedVersions, encode, tag_of

VALUES: list[Any] = [
    {"_id": "6b01c458b35d2622b7b14243", "name": "Ravi", "at": None, "ok": True, "n": [1, -2, 66.67, 100.0]},
    'é 学生 “q” \\ / " \u2028 \u2029 \x7f \x1f \n \t \b \f 😀',
    [],
    {},
]


@pytest.mark.parametrize("value", VALUES)
def test_json_is_byte_for_byte_what_rest_framework_would_write(value: Any) -> None:
    assert encode(value) == JSONRenderer().render(value)


def test_a_rendered_part_goes_into_an_answer_as_it_is() -> None:
    part = RenderedVersions(1000).get("a", 1, lambda: [b'[{"name":', b'"Ravi"}]'])
    assert encode({"data": part.json}) == b'{"data":[{"name":"Ravi"}]}'


def test_each_version_is_made_once_and_only_the_last_is_kept() -> None:
    made: list[int] = []

    def make(version: int) -> list[bytes]:
        made.append(version)
        return [encode({"version": version})]

    kept = RenderedVersions(1000)
    asked = [kept.get("a", version, partial(make, version)) for version in (1, 1, 2, 2, 1)]
    assert made == [1, 2, 1]
    assert [json.loads(bytes(one.json))["version"] for one in asked] == [1, 1, 2, 2, 1]
    assert asked[0].digest == asked[4].digest != asked[2].digest


def test_what_was_asked_for_longest_ago_goes_when_there_is_too_much() -> None:
    kept = RenderedVersions(limit=30)
    made: list[str] = []

    def get(key: str) -> None:
        def make() -> list[bytes]:
            made.append(key)
            return [b"x" * 12]

        kept.get(key, 1, make)

    for key in "abacab":
        get(key)
    assert made == ["a", "b", "c", "b"]


def test_what_is_larger_than_the_limit_is_answered_and_not_kept() -> None:
    kept = RenderedVersions(limit=5)
    for _ in range(2):
        assert bytes(kept.get("a", 1, lambda: [b"x" * 12]).json) == b"x" * 12


def test_a_failure_is_not_kept() -> None:
    kept = RenderedVersions(1000)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", 1, lambda: [b"x" * (1 // 0)])
    assert bytes(kept.get("a", 1, lambda: [b"1"]).json) == b"1"


def test_tags_differ_with_each_part_and_its_place() -> None:
    tags = [tag_of("a", "b"), tag_of("ab"), tag_of("a", "", "b"), tag_of("b", "a")]
    assert len(set(tags)) == 4
    assert tag_of("a", "b") == tags[0]
    assert all(tag[0] == tag[-1] == '"' and tag[1:-1].isalnum() for tag in tags)
