"""How AttenTrack words a failure: `{"error": …}`."""

from typing import Any

from core import errors
from core.envelope import ErrorForm

#: Codes whose own words would say more than this protocol does.
_WRONG_PERSON = ("forbidden", "teacher_only", "student_only", "superuser_only", "not_class_teacher", "not_enrolled")
#: Where this protocol has another status than ours.
_STATUS = {
    "class_not_found": 400,
    "student_not_found": 400,
    "teacher_not_found": 400,
    "user_not_found": 400,
    "record_not_found": 400,
    "not_verified": 400,
}


def worded(**statuses: int) -> ErrorForm:
    """The form of failures of a route that has these statuses for these codes."""

    def form(error: errors.ApiError) -> tuple[int, Any]:
        return statuses.get(error.code) or _STATUS.get(error.code, error.status), {"error": message_of(error)}

    return form


def message_of(error: errors.ApiError) -> str:
    """The words for `error`, of routes and messages alike."""
    if error.code == errors.Unauthorized.code:
        return "Unauthorized access"
    return "Forbidden" if error.code in _WRONG_PERSON else error.message


#: For what is answered outside the views (`settings.ERROR_FORMS`), and for most routes.
attentrack_error: ErrorForm = worded()
