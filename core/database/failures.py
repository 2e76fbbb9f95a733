"""The database as an operator sees it, whichever it is: which one, where, and what its failures look like.

Django's SQL backends sort failures into its own classes. The MongoDB backend raises a bare DatabaseError from
PyMongo's exception, and some of PyMongo's exceptions as they are.
"""

from django.db import Error, InterfaceError, OperationalError, connection
from pymongo import errors as pymongo
from pymongo.uri_parser import parse_uri

#: Everything that a database may raise.
DATABASE_ERRORS = (Error, pymongo.PyMongoError)

_UNAVAILABLE = (OperationalError, InterfaceError, pymongo.ConnectionFailure, pymongo.WaitQueueTimeoutError)


def is_unavailable(failure: BaseException) -> bool:
    """Whether the database itself is unwell (gone, too busy, starting): the same request may succeed later."""
    causes = (failure, failure.__cause__)
    return any(isinstance(cause, _UNAVAILABLE) or has_label(cause, TRANSIENT) for cause in causes)


def is_unreachable(failure: BaseException) -> bool:
    """Whether no server of MongoDB's answered in time: asking again at once would only double the wait."""
    causes = (failure, failure.__cause__)
    return any(isinstance(cause, pymongo.ServerSelectionTimeoutError) for cause in causes)


#: MongoDB's word for a transaction that came to nothing and may simply be run again.
TRANSIENT = "TransientTransactionError"
#: MongoDB's word for a commit whose outcome nobody told us; committing again is safe.
UNKNOWN_COMMIT = "UnknownTransactionCommitResult"


def has_label(failure: BaseException | None, label: str) -> bool:
    """Whether MongoDB put `label` on the failure, or on the one that it came from."""
    causes = (failure, failure.__cause__ if failure is not None else None)
    return any(isinstance(cause, pymongo.PyMongoError) and cause.has_error_label(label) for cause in causes)


def describe() -> str:
    """Which database the project uses, and where; never with a password."""
    settings = connection.settings_dict
    match connection.vendor:
        case "mongodb":
            nodes = parse_uri(settings["HOST"])["nodelist"]
            where = ", ".join(f"{host}:{port}" for host, port in nodes)
        case "postgresql":
            where = f"{settings['HOST'] or 'the local socket'}:{settings['PORT'] or 5432}"
        case _:
            return f"{connection.display_name} in the file {settings['NAME']}"
    return f"{connection.display_name} at {where}, database {settings['NAME']}"


#: What to try when the database does not answer.
ADVICE = {
    "sqlite": "Is its folder there, and may this user write to it?",
    "postgresql": "Is the server running, is the database made (createdb), and are user and password right?",
    "mongodb": "Is the server running and reachable, and are user and password right?",
}
