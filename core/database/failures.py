"""Failures of the database, whichever database it is, and words for the operator: which database, where, what to try.

Django's SQL backends turn failures into Django's own classes. The MongoDB backend turns some of PyMongo's exceptions
into a bare DatabaseError and raises others as they are.
"""

from typing import Any

from django.conf import settings as project_settings
from django.db import Error, InterfaceError, OperationalError, connection

#: Everything that a database may raise.
DATABASE_ERRORS: tuple[type[Exception], ...] = (Error,)

_UNAVAILABLE: tuple[type[Exception], ...] = (OperationalError, InterfaceError)
_UNREACHABLE: tuple[type[Exception], ...] = ()
_LABELLED: tuple[type[Any], ...] = ()

if connection.vendor == "mongodb":  # PyMongo takes long to import, and other databases raise none of its errors
    from pymongo import errors as pymongo

    DATABASE_ERRORS += (pymongo.PyMongoError,)
    _UNAVAILABLE += (pymongo.ConnectionFailure, pymongo.WaitQueueTimeoutError)
    _UNREACHABLE += (pymongo.ServerSelectionTimeoutError,)
    _LABELLED += (pymongo.PyMongoError,)


def is_unavailable(failure: BaseException) -> bool:
    """Whether the database is away, too busy or starting, so that the same request may succeed later."""
    causes = (failure, failure.__cause__)
    return any(isinstance(cause, _UNAVAILABLE) or has_label(cause, TRANSIENT) for cause in causes)


def is_unreachable(failure: BaseException) -> bool:
    """Whether no MongoDB server answered in time. Another attempt at once would only double the wait."""
    causes = (failure, failure.__cause__)
    return any(isinstance(cause, _UNREACHABLE) for cause in causes)


#: MongoDB's label for a transaction that had no effect and may be run again.
TRANSIENT = "TransientTransactionError"
#: MongoDB's label for a commit whose outcome is unknown. To commit again is safe.
UNKNOWN_COMMIT = "UnknownTransactionCommitResult"


def has_label(failure: BaseException | None, label: str) -> bool:
    """Whether MongoDB put `label` on the failure or on its cause."""
    causes = (failure, failure.__cause__ if failure is not None else None)
    return any(isinstance(cause, _LABELLED) and cause.has_error_label(label) for cause in causes)


def describe() -> str:
    """Which database the project uses, and where, without its password."""
    settings = connection.settings_dict
    match connection.vendor:
        case "mongodb":
            from pymongo.uri_parser import parse_uri  # noqa: PLC0415  only where MongoDB is the database

            nodes = parse_uri(settings["HOST"])["nodelist"]
            where = ", ".join(f"{host}:{port}" for host, port in nodes)
        case "postgresql":
            where = f"{settings['HOST'] or 'the local socket'}:{settings['PORT'] or 5432}"
        case _:
            return f"{connection.display_name} in the file {project_settings.DATABASE_FILE}"
    return f"{connection.display_name} at {where}, database {settings['NAME']}"


#: Vendor → what to try when the database does not answer.
ADVICE = {
    "sqlite": "Is its folder there, and may this user write to it?",
    "postgresql": "Is the server running, is the database made (createdb), and are user and password right?",
    "mongodb": "Is the server running and reachable, and are user and password right?",
}
