"""How AttenTrack words a failure: `{"error": …}`."""

from collections.abc import Mapping
from typing import Any

from core import errors

#: Codes whose own words would say more than this protocol does.
_WRONG_PERSON = ("forbidden", "teacher_only", "student_only", "superuser_only", "not_class_teacher", "not_enrolled")
#: Where this protocol has another status than ours.
_STATUS = {
    "class_not_found": 400,
    "student_not_found": 400,
    "teacher_not_found": 400,
    "user_not_found": 400,
    "record_not_found": 400,
    "class_name_taken": 400,
    "not_verified": 400,
}


def attentrack_error(error: errors.ApiError, statuses: Mapping[str, int] | None = None) -> tuple[int, Any]:
    """The status and body of `error`; `statuses` are those that a route has for some codes."""
    return {**_STATUS, **(statuses or {})}.get(error.code, error.status), {"error": message_of(error)}


def message_of(error: errors.ApiError) -> str:
    """The words for `error`, of routes and messages alike."""
    if isinstance(error, errors.Unauthorized):
        return "Unauthorized access"
    return "Forbidden" if error.code in _WRONG_PERSON else error.message
