"""The log: no token or password in any line, no traceback for a client's fault, one line for a fault that repeats.

A line says on whose behalf it was written (`core.asking`). An event (`event`) has a name and fields, for programs.
"""

import logging
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from core import asking, metrics
from core.asking import Asking

_SECRETS = re.compile(
    r"(token=|/invitation/)[^&\s\"']+"
    r"|eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"  # a JWT, wherever it stands
    # A quoted value ends at its quote. One without quotes may have spaces (`Bearer abc`), so the rest of the line goes.
    r"|((?:authorization|password)[\"']?\s*[:=]\s*)(?:\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^\r\n]+)",
    re.IGNORECASE,
)


#: How long records like one that was written are counted instead of written, seconds.
WINDOW = 60
#: Warnings of one kind that are written within a window. Of errors and of tracebacks one is.
WARNINGS = 10
#: The longest part of a message that the line about its repetitions shows, characters.
_EXAMPLE = 200

#: What makes two records alike: logger, level, the place of the call, and the exception's class with the place that
#: raised it, or the event with the limit or the error that it is about.
_Kind = tuple[str, int, str, int, str]


def event(
    logger: logging.Logger, name: str, message: str, *values: Any, by: Asking | None = None, **fields: str | int | None
) -> None:
    """Warns of something that clients do, in a line that programs find by its event's `name`.

    docs/operations.md lists the names. `by` is who does it, the running code's client if nobody else is named. A field
    that is None is left out. Fields are ids and words of this project, never what a client wrote.
    """
    metrics.EVENTS.labels(name).inc()
    known = {field: value for field, value in fields.items() if value is not None}
    extra = {"event": name, "fields": known, "asking": by or asking.current.get()}
    logger.warning(message, *values, extra=extra, stacklevel=2)


def _facts(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    """What a record says besides its message."""
    if name := getattr(record, "event", None):
        yield "event", name
        yield from record.fields.items()  # type: ignore[attr-defined]
    by: Asking = getattr(record, "asking", None) or asking.current.get()
    for name in ("address", "request_id", "socket_id"):
        if value := getattr(by, name):
            yield name, value


class TextLines(logging.Formatter):
    """Lines for people. What is for programs stands in brackets behind the message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{name}={value}" for name, value in _facts(record))
        return super().formatMessage(record) + (f" [{facts}]" if facts else "")


class JsonLines(logging.Formatter):
    """One JSON object a line, with the keys `time` (UTC), `level`, `logger` and `message`.

    Where they are known, `event` with its fields, `address`, `request_id` or `socket_id`, and `exception` follow.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **dict(_facts(record)),
        }
        if record.exc_info:
            line["exception"] = record.exc_text or self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class RedactTokens(logging.Filter):
    """Replaces tokens and passwords by `[redacted]`, in the finished message and in the text of a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = redact(message)
        if clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info:
            # Another handler may have set the text already, unredacted.
            record.exc_text = redact(record.exc_text or logging.Formatter().formatException(record.exc_info))
        return True


class DropClientFaults(logging.Filter):
    """Drops uvicorn's tracebacks about text that is not UTF-8, with which any stranger could fill the disk."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Invalid UTF-8 sequence")


@dataclass(slots=True)
class _Repeated:
    """What happened to one kind of record in its window."""

    example: str
    since: float = field(default_factory=time.monotonic)
    written: int = 0
    left_out: int = 0
    timer: threading.Timer | None = None


class CountRepeats(logging.StreamHandler[TextIO]):
    """Writes records to a stream, and only counts warnings and errors that repeat. A full disk then fills no log.

    After a record, others like it are counted for WINDOW seconds. Then one line says how many they were. A record
    below WARNING is always written.
    """

    def __init__(self, stream: TextIO | None = None, *, window: float = WINDOW) -> None:
        super().__init__(stream)
        self._window = window
        self._repeated: dict[_Kind, _Repeated] = {}

    def handle(self, record: logging.LogRecord) -> bool:
        # Before the filters, because putting a traceback into words for nobody costs as much as writing it.
        if record.levelno >= logging.WARNING and not self._is_written(record):
            return False
        return bool(super().handle(record))

    def close(self) -> None:
        for kind in list(self._repeated):
            self._end(kind)
        super().close()

    def _is_written(self, record: logging.LogRecord) -> bool:
        kind = _kind(record)
        limit = 1 if record.levelno >= logging.ERROR or record.exc_info else WARNINGS
        self.acquire()
        try:
            repeated = self._repeated.get(kind)
            if repeated is None:
                repeated = self._repeated[kind] = _Repeated(record.getMessage()[:_EXAMPLE])
                repeated.timer = threading.Timer(self._window, self._end, [kind])
                repeated.timer.daemon = True
                repeated.timer.start()
            if repeated.written < limit:
                repeated.written += 1
                return True
            repeated.left_out += 1
            return False
        finally:
            self.release()

    def _end(self, kind: _Kind) -> None:
        """Ends the kind's window, and says how many records were left out."""
        self.acquire()
        try:
            repeated = self._repeated.pop(kind, None)
        finally:
            self.release()
        if repeated is None:
            return
        if repeated.timer is not None:
            repeated.timer.cancel()
        if repeated.left_out:
            name, level, path, line, _ = kind
            told = (repeated.left_out, round(time.monotonic() - repeated.since), repeated.example)
            super().handle(logging.LogRecord(name, level, path, line, "… %d more like this in %d s: %s", told, None))


def _kind(record: logging.LogRecord) -> _Kind:
    raised = ""
    if hasattr(record, "event"):
        fields: dict[str, Any] = record.fields  # type: ignore[attr-defined]
        raised = f"{record.event} {fields.get('limit') or fields.get('code', '')}"
    if record.exc_info and record.exc_info[0] is not None:
        raised = record.exc_info[0].__name__
        at = record.exc_info[2]
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        if at is not None:
            raised += f" {at.tb_frame.f_code.co_filename}:{at.tb_lineno}"
    return record.name, record.levelno, record.pathname, record.lineno, raised


def redact(text: str) -> str:
    """`text` with `[redacted]` for each token and password."""
    return _SECRETS.sub(lambda found: f"{found[1] or found[2] or ''}[redacted]", text)
