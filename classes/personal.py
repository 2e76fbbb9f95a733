"""What the tables of classes say of a person (`core.database.personal`)."""

from core.database.personal import DELETE, Personal

_CLASS = {"classId": "class_ref_id", "className": "class_ref__name"}

TABLES = (
    Personal(
        "classes.Class",
        whose=("teacher_id",),
        part="classes",
        shown={"_id": "id", "className": "name", "createdAt": "created_at"},
    ),
    Personal(
        "classes.CoTeacher",
        whose=("teacher_id",),
        part="classesShared",
        shown={**_CLASS, "since": "created_at"},
        erased=DELETE,
    ),
    Personal(
        "classes.Enrolment",
        whose=("student_id",),
        part="enrolments",
        shown={**_CLASS, "from": "since", "until": "until", "createdAt": "created_at"},
    ),
    Personal(
        "classes.SetAside",
        whose=("student_id",),
        part="setAside",
        shown={**_CLASS, "rollNumber": "roll_number", "since": "created_at"},
        erased=DELETE,
    ),
)
