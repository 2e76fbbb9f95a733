"""The words of marks and sessions, as the database has them."""

from django.db import models


class Status(models.TextChoices):
    """How a student's attendance is marked."""

    PRESENT = "present"
    ABSENT = "absent"
    LATE = "late"
    EXCUSED = "excused"

    @property
    def as_basic(self) -> "Status":
        """In the basic protocols' two words: late counts as present, excused as absent."""
        return Status.PRESENT if self in (Status.PRESENT, Status.LATE) else Status.ABSENT


def basic_of(status: Status | None) -> Status:
    """`Status.as_basic`, also of a student who was marked and is unmarked again: the end makes them absent."""
    return Status.ABSENT if status is None else status.as_basic


class Method(models.TextChoices):
    """How a mark came about."""

    TEACHER = "teacher", "marked by the teacher"
    BULK = "bulk", "marked with many others"
    SELF = "self", "checked in"
    IMPORT = "import", "imported"
    AUTO = "auto", "absent without a mark"
    CORRECTION = "correction", "corrected afterwards"


class SessionState(models.TextChoices):
    OPEN = "open"
    ENDED = "ended"
    VOIDED = "voided", "voided, counts nowhere"


class ExcuseState(models.TextChoices):
    """What became of an excuse."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
