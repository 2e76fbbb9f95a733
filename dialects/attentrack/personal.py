"""What AttenTrack's app told of a teacher (`core.database.personal`)."""

from core.database.personal import DELETE, Personal

TABLES = (
    Personal(
        "attentrack.TeachingPlace",
        whose=("key",),
        part="teachingPlace",
        shown={"location": "location", "at": "told_at"},
        erased=DELETE,
    ),
)
