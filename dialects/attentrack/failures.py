"""How AttenTrack words failures: `{"error": …}`, with statuses of its own for some."""

from collections.abc import Mapping
from typing import Any

from core.errors import ApiError, Unauthorized

#: The status of the answer, by the error's code.
Failures = Mapping[str, int]

ON_EVERY_ROUTE: Failures = {
    "class_not_found": 400,
    "student_not_found": 400,
    "teacher_not_found": 400,
    "user_not_found": 400,
    "record_not_found": 400,
    "class_name_taken": 400,
    "not_verified": 400,
}
#: The codes of errors that are all `Forbidden` in this protocol: their own words would say more than it says.
_FORBIDDEN = ("forbidden", "teacher_only", "student_only", "superuser_only", "not_class_teacher", "not_enrolled")


def worded(error: ApiError, by_the_route: Failures | None = None) -> tuple[int, Any]:
    """The status and body of a failure; `by_the_route` has the statuses that a route gives in its own way."""
    failures = {**ON_EVERY_ROUTE, **(by_the_route or {})}
    return failures.get(error.code, error.status), {"error": message_of(error)}


def message_of(error: ApiError) -> str:
    """The words for `error`, in answers and in messages alike."""
    if isinstance(error, Unauthorized):
        return "Unauthorized access"
    return "Forbidden" if error.code in _FORBIDDEN else error.message
