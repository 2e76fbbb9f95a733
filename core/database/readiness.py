"""Whether the server's own files and the database's tables are there; words for the operator where they are not."""

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from core import own_files
from core.database.failures import ADVICE, DATABASE_ERRORS, describe, is_unavailable
from core.database.missing_migrations import missing_migrations
from core.program import command_line


class NotReady(Exception):
    """Says in a line what is missing and what to do."""


def require_ready() -> None:
    """Raises `NotReady` unless everything is there that a command needs."""
    try:
        own_files.require()
    except ImproperlyConfigured as failure:
        raise NotReady(str(failure)) from None
    lacking = lacking_migrations()
    if lacking:
        raise NotReady(f"The database lacks {lacking} migrations. Run: {command_line('migrate')}")


def lacking_migrations() -> int:
    """How many migrations are still to be applied. Raises `NotReady` if the database does not answer."""
    try:
        return missing_migrations()
    except DATABASE_ERRORS as failure:
        raise NotReady(_in_words(failure)) from None


def explain(failure: Exception) -> str | None:
    """What to do about a failure of the database that ended a command; None if the command itself may be at fault."""
    if not isinstance(failure, DATABASE_ERRORS):
        return None
    try:
        require_ready()
    except NotReady as reason:
        return str(reason)
    return _in_words(failure) if is_unavailable(failure) else None


def _in_words(failure: Exception) -> str:
    reason = str(failure).partition("\n")[0].partition(", Topology")[0]
    return f"Cannot use {describe()}.\n{reason}\n{ADVICE[connection.vendor]} DATABASE_URL names another."
