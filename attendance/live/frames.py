"""Text frames on their way to many sockets."""

from functools import cached_property

from core.server.websocket_protocol import text_frame


class Frames(list[str]):
    """Texts of frames. Their bytes are made once, however many sockets get them."""

    @cached_property
    def wire(self) -> bytes:
        """The bytes of all frames, one after another: one write to each socket."""
        return b"".join(map(text_frame, self))

    def prefixed(self, prefix: str) -> "Frames":
        """The same frames, each behind `prefix`, made once as well."""
        if prefix not in self._prefixed:
            self._prefixed[prefix] = Frames(prefix + text for text in self)
        return self._prefixed[prefix]

    @cached_property
    def _prefixed(self) -> "dict[str, Frames]":
        return {}

    @cached_property
    def characters(self) -> int:
        return sum(map(len, self))
