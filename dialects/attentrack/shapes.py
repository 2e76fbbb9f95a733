"""What AttenTrack's answers look like."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from classes.selectors import classes_of_student, classes_of_teacher, roster_sizes

NOT_SET = "Not Set"


def student(user: Any) -> dict[str, Any]:
    """`{id, email, fullName, rollNumber, batch, coursesId, branch, semester, phone, enroll}`."""
    profile = getattr(user, "student_profile", None)
    return {
        "id": user.id,
        "email": user.email,
        "fullName": user.name,
        "rollNumber": user.roll_number or NOT_SET,
        "batch": _set(profile, "batch"),
        "coursesId": [{"_id": found.id} for found in classes_of_student(user.id)],
        **{name: _set(profile, name) for name in ("branch", "semester", "phone", "enroll")},
    }


def teacher(user: Any) -> dict[str, Any]:
    """`{id, email, fullName, department, coursesId, eduQualification, telephone, interest}`."""
    profile = getattr(user, "teacher_profile", None)
    return {
        "id": user.id,
        "email": user.email,
        "fullName": user.name,
        "department": _set(profile, "department"),
        "coursesId": [{"_id": found.id} for found in classes_of_teacher(user.id)],
        "eduQualification": _set(profile, "education"),
        "telephone": _set(profile, "telephone"),
        "interest": _set(profile, "interest"),
    }


def student_classes(user: Any) -> dict[str, Any]:
    """`{student_id, fullName, rollNumber, email, classes}`."""
    return {
        "student_id": user.id,
        "fullName": user.name,
        "rollNumber": user.roll_number or NOT_SET,
        "email": user.email,
        "classes": _classes(classes_of_student(user.id)),
    }


def teacher_classes(user: Any) -> dict[str, Any]:
    """`{teacher_id, teacher_email, teacher_name, department, classes}`."""
    return {
        "teacher_id": user.id,
        "teacher_email": user.email,
        "teacher_name": user.name,
        "department": _set(getattr(user, "teacher_profile", None), "department"),
        "classes": _classes(classes_of_teacher(user.id)),
    }


def class_details(found: Any) -> dict[str, str]:
    """`{class_id, classname, batch, semester, department}`."""
    details = {name: getattr(found, name) or NOT_SET for name in ("batch", "semester", "department")}
    return {"class_id": found.id, "classname": found.name, **details}


def statuses(by_student: Mapping[str, Any], roll_numbers: Iterable[tuple[str, str]]) -> dict[str, bool]:
    """`{<roll>: bool}`, in the order of the roll numbers."""
    return {
        roll_number: by_student[student_id].as_basic == "present"
        for roll_number, student_id in sorted(roll_numbers)
        if student_id in by_student
    }


def _classes(found: Sequence[Any]) -> list[dict[str, Any]]:
    sizes = roster_sizes([one.id for one in found])
    return [{**class_details(one), "student_count": sizes[one.id]} for one in found]


def _set(profile: Any, name: str) -> str:
    return getattr(profile, name, "") or NOT_SET
