"""What the server refuses, over every protocol: in the log, and where a limit refuses it counted at /metrics."""

import logging

from core import logs, metrics
from core.errors import ApiError

logger = logging.getLogger(__name__)


#: The statuses of errors that tell somebody that they may not do a thing. Of limits `count_refusal` tells.
_NOT_ALLOWED = (401, 403)


def tell_refusal(error: ApiError, *, account: str | None) -> None:
    """Tells the operator if `error`, which answers a request or a socket's message, says that somebody may not.

    `account` is the id of who asked, if it is known.
    """
    if error.status in _NOT_ALLOWED:
        logs.event(logger, "refused", "Refused: %s.", error.message, code=error.code, account=account)


def count_refusal(limit: str, *, account: str | None = None) -> None:
    """Counts a refusal by the limit of this name. Whoever raises the error, or closes the socket, calls this once.

    `limit` is one of a few names that the code gives, never what a client wrote. `account` is the id of the account
    that the limit counts, if it is known.
    """
    name = limit.replace(" ", "_")
    metrics.REFUSALS.labels(name).inc()
    logs.event(logger, "limit_reached", "Refused by the limit %s.", name, limit=name, account=account)
