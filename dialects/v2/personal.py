"""What kept answers say of a person (`core.database.personal`)."""

from django.db.models import Q

from core.database.personal import DELETE, Person, Personal


def _naming(person: Person) -> Q:
    """An answer to somebody else that has the person in it."""
    found = Q(body__contains=person.id)
    for name in filter(None, (person.name, person.email)):
        found |= Q(body__contains=name)
    return found


TABLES = (
    Personal(
        "v2.KeptAnswer",
        whose=("person_id",),
        part="repeatableRequests",
        shown={"at": "began_at", "answer": "body"},
        erased=DELETE,
    ),
    Personal("v2.KeptAnswer", also=_naming, erased=DELETE),
)
