"""What notices say of a person (`core.database.personal`)."""

from django.db.models import Q

from core.database.personal import DELETE, Person, Personal


def _about(person: Person) -> Q:
    return Q(notice__student_id=person.id)


TABLES = (
    Personal(
        "notices.Notice",
        whose=("student_id",),
        part="notices",
        shown={"kind": "kind", "className": "class_ref__name", "createdAt": "created_at"},
        moves="student_id",
    ),
    Personal(
        "notices.Delivery",
        whose=("person_id",),
        part="noticesUnderWay",
        shown={"kind": "notice__kind", "toGuardian": "is_for_guardian", "since": "created_at"},
        erased=DELETE,
    ),
    Personal("notices.Delivery", also=_about, erased=DELETE),
    Personal("notices.Webhook", whose=("made_by_id",), part="webhooksMade", shown={"createdAt": "created_at"}),
)
