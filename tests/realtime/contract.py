"""The words and frames of the WebSocket contract, written out, so that tests compare whole frames."""

from typing import Any

INVALID = "Invalid message format"
UNKNOWN = "Unknown event"
TEACHER_ONLY = "Forbidden, teacher event only"
STUDENT_ONLY = "Forbidden, student event only"
NO_SESSION = "No active attendance session"
NOT_ENROLLED = "Student not enrolled in class"
UNAUTHORIZED = "Unauthorized or invalid token"

Frame = dict[str, Any]


def marked(student_id: str, status: str = "present", *, seq: int | None = None) -> Frame:
    return _frame("ATTENDANCE_MARKED", {"studentId": student_id, "status": status}, seq)


def summary(present: int, absent: int, *, seq: int | None = None) -> Frame:
    return _frame("TODAY_SUMMARY", {"present": present, "absent": absent, "total": present + absent}, seq)


def done(present: int, absent: int, *, seq: int | None = None) -> Frame:
    counts = {"present": present, "absent": absent, "total": present + absent}
    return _frame("DONE", {"message": "Attendance persisted", **counts}, seq)


def mine(status: str) -> Frame:
    return _frame("MY_ATTENDANCE", {"status": status}, None)


def error(message: str) -> Frame:
    return _frame("ERROR", {"message": message}, None)


def _frame(event: str, data: Frame, seq: int | None) -> Frame:
    """`seq` only for sockets that sent SYNC."""
    return {"event": event, "data": data} if seq is None else {"event": event, "data": data, "seq": seq}
