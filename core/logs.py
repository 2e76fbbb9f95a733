"""Keeps tokens out of every log line."""

import logging
import re

_SECRETS = re.compile(
    r"(token=)[^&\s\"']+"
    r"|eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"  # a JWT, wherever it stands
    # A value in quotes ends with them; one without may have spaces (`Bearer abc`), so the rest of its line goes.
    r"|((?:authorization|password)[\"']?\s*[:=]\s*)(?:\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^\r\n]+)",
    re.IGNORECASE,
)


class RedactTokens(logging.Filter):
    """Replaces tokens and passwords in the finished message (and a traceback's text) by `[redacted]`."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = redact(message)
        if clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info:
            # Another handler may have put the text there as it was.
            record.exc_text = redact(record.exc_text or logging.Formatter().formatException(record.exc_info))
        return True


class DropClientFaults(logging.Filter):
    """Drops what uvicorn logs, with a traceback, about text that is not UTF-8: any stranger could fill a disk."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Invalid UTF-8 sequence")


def redact(text: str) -> str:
    """`text` without the tokens and passwords in it."""
    return _SECRETS.sub(lambda found: f"{found[1] or found[2] or ''}[redacted]", text)
