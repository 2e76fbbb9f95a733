"""What the audit log says of a person (`core.database.personal`)."""

from core.database.personal import Personal

TABLES = (
    Personal(
        "audit.Entry",
        whose=("actor",),
        part="actions",
        shown={
            "at": "at",
            "action": "action",
            "outcome": "outcome",
            "way": "way",
            "kind": "kind",
            "thing": "thing",
            "address": "address",
            "request": "request_id",
            "times": "times",
        },
        erased={"address": "", "request_id": ""},
    ),
    Personal(
        "audit.Entry",
        whose=("thing",),
        part="actionsOfOthers",
        shown={"at": "at", "action": "action", "outcome": "outcome", "way": "way", "times": "times"},
    ),
)
