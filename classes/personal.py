"""What the tables of classes say of a person (`core.database.personal`)."""

from django.db.models import Q

from core.database.personal import DELETE, Person, Personal

_CLASS = {"classId": "class_ref_id", "className": "class_ref__name"}


def _any_file(person: Person) -> Q:
    """A file that somebody is about to import may name the person; whoever sent it sends it again."""
    return Q(made_at__isnull=False)


TABLES = (
    Personal(
        "classes.Class",
        whose=("teacher_id",),
        part="classes",
        shown={"_id": "id", "className": "name", "checkIn": "check_in", "createdAt": "created_at"},
        erased={"check_in": ""},
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
    Personal(
        "classes.Preview",
        whose=("person_id",),
        part="filesToImport",
        shown={"kind": "kind", "at": "made_at"},
        withheld={"content": "the file that you sent"},
    ),
    Personal("classes.Preview", also=_any_file, erased=DELETE),
)
