"""How `/api/v2` and `/ws/v2` word failures: by a code that never changes, and with the fields of a bad body."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import get_language

from core.errors import ApiError, InvalidSchema, TooManyRequests
from core.identity import Actor
from core.words import sentence_of

#: Errors that have another status or code here than in the core.
_HERE: Mapping[str, tuple[int, str]] = {
    "token_missing": (401, "unauthorized"),
    "user_gone": (401, "unauthorized"),
    "socket_unauthorized": (401, "unauthorized"),
    "invalid_credentials": (400, "invalid_login"),
    "unknown_email": (400, "invalid_login"),
    "invalid_message": (400, "invalid_schema"),
    "wrong_code": (403, "wrong_code"),
    "location_missing": (403, "place_missing"),
    "out_of_range": (403, "out_of_range"),
    "check_in_closed": (403, "check_in_closed"),
    "claim_expired": (403, "claim_expired"),
    "place_vague": (403, "place_vague"),
    "other_network": (403, "other_network"),
    "other_device": (403, "other_device"),
}


def code_of(error: ApiError) -> str:
    """The code by which clients know the error."""
    return _HERE.get(error.code, (0, error.code))[1]


def worded(error: ApiError, reader: Actor | None = None) -> tuple[int, Any]:
    """The status and body of a failure. `reader`: who is told of it; None where nobody is signed in."""
    status, code = _HERE.get(error.code, (error.status, error.code))
    body: dict[str, Any] = {"success": False, "error": message_of(error, reader), "code": code}
    if isinstance(error, InvalidSchema):
        body["fields"] = {name: list(words) for name, words in error.fields.items()}
    return status, body


def message_of(error: ApiError, reader: Actor | None) -> str:
    """For `reader`, in the language of the running code: the one that the client asked for (`Accept-Language`)."""
    if isinstance(error, TooManyRequests):
        return sentence_of(error, reader=reader)  # it says how long to wait
    if get_language() in (None, settings.LANGUAGE_CODE):
        return error.message
    return sentence_of(error, reader=reader)
