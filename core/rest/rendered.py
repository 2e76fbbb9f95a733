"""JSON as answers have it, and parts of answers that are rendered once for each of their versions."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from rest_framework.utils.encoders import JSONEncoder

#: These two end a line in JavaScript of before 2019, so they are escaped.
_LINE_ENDS = {"\u2028".encode(): rb"\u2028", "\u2029".encode(): rb"\u2029"}

_encoder = msgspec.json.Encoder(enc_hook=JSONEncoder().default)


def encode(value: Any) -> bytes:
    """`value` as JSON; what is a `Rendered`'s `json` already goes in as it is."""
    body = _encoder.encode(value)
    if b"\xe2" in body:  # the first byte of both; to look for all three takes a hundred times as long
        for character, escape in _LINE_ENDS.items():
            body = body.replace(character, escape)
    return body


@dataclass(frozen=True, slots=True)
class Rendered:
    """A part of an answer as JSON, and a digest that no other text has."""

    json: msgspec.Raw
    digest: str


class RenderedVersions:
    """Of each key the last version that was asked for; those asked for longest ago go beyond `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[str, tuple[int, Rendered]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, version: int, make: Callable[[], Any]) -> Rendered:
        """What `make` gives, rendered when it was first asked for in this version.

        The version must have been read before `make` reads, and be raised with what it reads: then what is kept may
        be newer than its version says, never older.
        """
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == version:
                self._kept.move_to_end(key)
                return kept[1]
        body = encode(make())
        rendered = Rendered(msgspec.Raw(body), hashlib.blake2b(body, digest_size=16).hexdigest())
        with self._lock:
            self._forget(key)
            self._kept[key] = version, rendered
            self._size += len(body)
            while self._size > self._limit:
                self._forget(next(iter(self._kept)))
        return rendered

    def _forget(self, key: str) -> None:
        version_and_rendered = self._kept.pop(key, None)
        if version_and_rendered is not None:
            self._size -= len(version_and_rendered[1].json)


def tag_of(*parts: str) -> str:
    """An `ETag` of an answer that is made of these parts."""
    return f'"{hashlib.blake2b(encode(parts), digest_size=16).hexdigest()}"'
