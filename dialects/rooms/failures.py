"""How the rooms dialect words failures, by the error's code. An error that no table names has its canonical words."""

from core import errors

#: The event that ends a session.
END = "endAttendanceSession"

ON_EVERY_EVENT = {
    errors.TeacherEventOnly.code: "Teacher profile not found",
    errors.StudentEventOnly.code: "Student profile not found",
    errors.NoActiveSession.code: "Attendance session not active",
    errors.NotClassTeacher.code: "Only the session teacher can manage attendance",
    errors.UnknownEvent.code: errors.InvalidMessage.message,
}
ON_END = {errors.NotClassTeacher.code: "Only the session teacher can end attendance"}


def message_of(error: errors.ApiError, event: str | None) -> str:
    """The words for an error that answers `event`; `event` is None if the message had no name."""
    by_the_event = ON_END if event == END else {}
    return by_the_event.get(error.code) or ON_EVERY_EVENT.get(error.code) or error.message
