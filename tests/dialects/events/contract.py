"""The words of the events contract."""

from typing import Any

from tests.realtime.contract import UNAUTHORIZED

__all__ = ["UNAUTHORIZED", "error", "marked"]


def marked(student_id: str, status: str = "present") -> tuple[str, Any]:
    return "ATTENDANCE_MARKED", {"studentId": student_id, "status": status}


def error(message: str) -> tuple[str, Any]:
    return "ERROR", {"message": message}


def ended(class_id: str, **statuses: str) -> tuple[str, Any]:
    """The end of a session; `statuses` are by student id, in the order of the roster."""
    attendance = [{"studentId": student_id, "status": status} for student_id, status in statuses.items()]
    counts = {"totalStudents": len(statuses), "presentCount": [*statuses.values()].count("present")}
    return "SESSION_ENDED", {"classId": class_id, **counts, "attendance": attendance}
