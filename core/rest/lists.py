"""Long lists in answers: read and sent in pieces, so that the longest list takes no more memory than a short one.

The contracts of the published protocols want whole lists. A list that is short is answered as everything else. Of a
longer one the first piece is read before the answer begins, so that a failure is answered in words; a failure after
that cuts the connection, and the client sees that the answer is not whole.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

from core.rest.rendered import encode

Row = TypeVar("Row")

#: Stands for the list in an answer. JSON escapes this character in texts, so no other part of an answer has it.
_HERE = msgspec.Raw(b"\x00")
#: A longer text is sent in slices of this length, bytes. In one answer it would be copied twice for each client.
SLICE = 256 * 1024


def listed(
    renderer: BaseRenderer,
    pieces: Iterator[Sequence[Row]],
    show: Callable[[Sequence[Row]], list[Any]],
    within: Callable[[Any], Any] = lambda shown: shown,
) -> HttpResponseBase:
    """An answer with the list of all `pieces`, each as `show` shows it; `within` puts the list into its answer."""
    first = next(pieces, ())
    second = next(pieces, None)
    if second is None:
        return Response(within(show(first)))
    shown = map(show, chain([first, second], pieces))
    return _streamed(renderer, within(_HERE), encode_in_pieces(shown))


def sliced(renderer: BaseRenderer, json: msgspec.Raw, within: Callable[[Any], Any]) -> HttpResponseBase:
    """An answer with a part that is JSON already. If the part is long, all such answers share its bytes."""
    text = memoryview(json)
    if len(text) <= SLICE:
        return Response(within(json))
    return _streamed(renderer, within(_HERE), (bytes(text[at : at + SLICE]) for at in range(0, len(text), SLICE)))


def encode_in_pieces(lists: Iterable[list[Any]]) -> Iterator[bytes]:
    """The JSON of one list of all that is in `lists`."""
    comma = b"["
    for each in lists:
        if each:
            yield comma + encode(each)[1:-1]
            comma = b","
    yield b"[]" if comma == b"[" else b"]"


def _streamed(renderer: BaseRenderer, answer: Any, pieces: Iterable[bytes]) -> StreamingHttpResponse:
    """`answer` in the renderer's envelope, with `pieces` in the place of `_HERE`."""
    envelope = getattr(renderer, "success", None)
    head, _, tail = encode(envelope(answer) if envelope is not None else answer).partition(bytes(_HERE))
    return StreamingHttpResponse(chain([head], pieces, [tail]), content_type="application/json; charset=utf-8")
