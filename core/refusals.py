"""What the server refuses because somebody asked too often or for too much: counted, in the log and at /metrics."""

import logging

from core import logs, metrics

logger = logging.getLogger(__name__)


def count_refusal(limit: str, *, account: str | None = None) -> None:
    """Counts a refusal by the limit of this name. Whoever raises the error, or closes the socket, calls this once.

    `limit` is one of a few names that the code gives, never what a client wrote. `account` is the id of the account
    that the limit counts, if it is known.
    """
    name = limit.replace(" ", "_")
    metrics.REFUSALS.labels(name).inc()
    logs.event(logger, "limit_reached", "Refused by the limit %s.", name, limit=name, account=account)
