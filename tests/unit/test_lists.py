"""core.rest.lists: a list of any length is the same JSON, and a long one is made in pieces."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from django.http import StreamingHttpResponse
from rest_framework.renderers import JSONRenderer

from core.rest.envelope import EnvelopeRenderer
from core.rest.lists import SLICE, encode_in_pieces, listed, sliced


def show(rows: Any) -> list[Any]:
    return [{"name": row} for row in rows]


@pytest.mark.parametrize("pieces", [[], [[]], [["a"]], [["a", "é"], ["\0\u2028"]], [["a"], [], ["b"]]])
def test_a_list_in_pieces_is_the_list(pieces: list[list[str]]) -> None:
    whole = [row for piece in pieces for row in piece]
    assert json.loads(b"".join(encode_in_pieces(pieces))) == whole


def test_a_short_list_is_answered_as_everything_else_is() -> None:
    answer = listed(EnvelopeRenderer(), iter([["a", "b"]]), show, lambda shown: {"students": shown})
    assert not isinstance(answer, StreamingHttpResponse)
    assert answer.data == {"students": [{"name": "a"}, {"name": "b"}]}  # type: ignore[attr-defined]


@pytest.mark.parametrize(("renderer", "enveloped"), [(EnvelopeRenderer(), True), (JSONRenderer(), False)])
def test_a_long_list_is_read_while_it_is_sent_in_the_dialects_envelope(renderer: Any, enveloped: bool) -> None:
    read: list[str] = []

    def pages() -> Iterator[list[str]]:
        for name in "abcd":
            read.append(name)
            yield [name]

    answer = listed(renderer, pages(), show, lambda shown: {"before": "\0", "students": shown, "after": 1})
    assert isinstance(answer, StreamingHttpResponse)
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert read == ["a", "b"]  # enough to know that the list is long
    data = {"before": "\0", "students": show("abcd"), "after": 1}
    assert json.loads(answer.getvalue()) == ({"success": True, "data": data} if enveloped else data)


def test_a_failure_before_the_answer_begins_is_an_error_and_none_later() -> None:
    def pages() -> Iterator[list[str]]:
        yield ["a"]
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError):
        listed(EnvelopeRenderer(), pages(), show)


@pytest.mark.parametrize("length", [10, SLICE - 2, SLICE, 3 * SLICE + 1])
def test_a_long_text_goes_in_slices(length: int) -> None:
    text = msgspec.Raw(b'"' + b"x" * length + b'"')
    answer = sliced(EnvelopeRenderer(), text, lambda shown: [shown])
    if isinstance(answer, StreamingHttpResponse):
        pieces = list(answer)
        assert max(map(len, pieces)) <= SLICE
        assert b"".join(pieces) == b'{"success":true,"data":["' + b"x" * length + b'"]}'
    else:
        assert length + 2 <= SLICE
