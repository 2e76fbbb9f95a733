"""How `/api/v1` words failures, by the error's code. An error that no table names has its canonical words."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from core.errors import ApiError
from core.rest.envelope import canonical_error


class NoStudents(ApiError):
    """Raised for the list of students while it is empty."""

    code, status, message = "no_students", 404, "No students found"


class Failure(NamedTuple):
    """The status of the answer, its words, and the key of the words."""

    status: int
    words: str
    key: str = "error"


Failures = Mapping[str, Failure]

ON_EVERY_ROUTE: Failures = {
    "token_missing": Failure(404, "please send jwt token"),
    "email_taken": Failure(403, "Email already exists"),
    "unknown_email": Failure(404, "User not found"),
    "class_name_taken": Failure(409, "class already exist"),
    "already_enrolled": Failure(409, "student already exist in class"),
    "not_enrolled": Failure(403, "You are not in the class, please contact your professor/admin"),
}
# The failures that one route, or two, words in its own way.
SIGNING_IN: Failures = {"invalid_schema": Failure(422, "Invalid request Schema")}
ME: Failures = {"user_gone": Failure(404, "User not found")}
CLASS_DETAIL: Failures = {"not_class_teacher": Failure(404, "you are not enrolled in the class", key="message")}
START: Failures = {"class_not_found": Failure(404, "class not found")}


def worded(error: ApiError, by_the_route: Failures) -> tuple[int, Any]:
    """The status and body of a failure, in the route's words, else in the dialect's, else in the canonical ones."""
    failure = by_the_route.get(error.code) or ON_EVERY_ROUTE.get(error.code)
    if failure is None:
        return canonical_error(error)
    return failure.status, {"success": False, failure.key: failure.words}
