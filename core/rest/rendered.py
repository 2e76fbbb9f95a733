"""JSON for answers, and parts of answers that are rendered once for each version."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from rest_framework.utils.encoders import JSONEncoder

#: JavaScript before 2019 took these two characters for line ends inside a string, so they are escaped.
_LINE_ENDS = {"\u2028".encode(): rb"\u2028", "\u2029".encode(): rb"\u2029"}

_encoder = msgspec.json.Encoder(enc_hook=JSONEncoder().default)


def encode(value: Any) -> bytes:
    """`value` as JSON. The `json` of a `Rendered` inside `value` is taken over unchanged."""
    body = _encoder.encode(value)
    if b"\xe2" in body:  # the first byte of both; a search for all three bytes takes a hundred times as long
        for character, escape in _LINE_ENDS.items():
            body = body.replace(character, escape)
    return body


@dataclass(frozen=True, slots=True)
class Rendered:
    """A part of an answer as JSON, and the digest of that text."""

    json: msgspec.Raw
    digest: str


class RenderedVersions:
    """Keeps the last rendered version of each key. Beyond `limit` bytes in all, the least recently used are dropped."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._kept: OrderedDict[str, tuple[int, Rendered]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, version: int, make: Callable[[], Iterable[bytes]]) -> Rendered:
        """What `make` returns, the pieces of a JSON text. `make` is called once for each version of `key`.

        Two conditions: the caller read `version` before `make` reads the data, and whoever changes the data raises the
        version in the same transaction. Then the kept text may be newer than its version, and never older.
        """
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == version:
                self._kept.move_to_end(key)
                return kept[1]
        body = b"".join(make())
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
    """The `ETag` of an answer that is made of these parts."""
    return f'"{hashlib.blake2b(encode(parts), digest_size=16).hexdigest()}"'
