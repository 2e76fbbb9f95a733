"""Filters for the log: no token or password in any line, and no traceback for a client's fault."""

import logging
import re

_SECRETS = re.compile(
    r"(token=|/invitation/)[^&\s\"']+"
    r"|eyJ[\w-]{5,}\.[\w-]+\.[\w-]*"  # a JWT, wherever it stands
    # A quoted value ends at its quote. One without quotes may have spaces (`Bearer abc`), so the rest of the line goes.
    r"|((?:authorization|password)[\"']?\s*[:=]\s*)(?:\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^\r\n]+)",
    re.IGNORECASE,
)


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


def redact(text: str) -> str:
    """`text` with `[redacted]` for each token and password."""
    return _SECRETS.sub(lambda found: f"{found[1] or found[2] or ''}[redacted]", text)
