"""Sessions, the journal of marks, and the records that a finished session leaves.

The journal is the truth: marks are only ever added. A session's row decides what may be added to it, because
every mark raises its `last_seq` in the same transaction. Records are what the journal comes to at the end.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.enums import ExcuseState, Method, SessionState, Status
from classes.models import Class
from core.ids import id_field
from core.times import now


class Session(models.Model):
    """One taking of attendance. Open from its start to its end; at most one a class is open."""

    id = id_field()
    class_ref = models.ForeignKey(Class, on_delete=models.PROTECT, related_name="sessions", verbose_name="class")
    state = models.CharField(max_length=8, choices=SessionState.choices, default=SessionState.OPEN)
    started_at = models.DateTimeField(default=now)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    last_seq = models.PositiveIntegerField("marks", default=0)
    last_activity_at = models.DateTimeField("last mark", default=now)
    #: Rises with each change of how students mark themselves, and with each flag; the live server watches it.
    check_in_version = models.PositiveIntegerField(default=0, editable=False)
    #: How often the session was opened: once, and once more each time that it was reopened.
    openings = models.PositiveIntegerField(default=1, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: The focus's `number` when it last moved here; 0 for never.
    focus_number = models.PositiveBigIntegerField(default=0, editable=False)
    #: The instant that a whole record was sent in for; sent in for it again, it is this session's.
    recorded_for = models.DateTimeField(null=True, blank=True, editable=False)
    #: When the lesson begins and ends that this session opened for by itself. `ends_at` is None if it ends by hand.
    planned_for = models.DateTimeField(null=True, blank=True, editable=False)
    ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    present_count = models.PositiveIntegerField("present", null=True, blank=True)
    absent_count = models.PositiveIntegerField("absent", null=True, blank=True)

    class Meta:
        ordering = ("-started_at",)
        constraints = (
            models.UniqueConstraint(fields=("class_ref",), condition=Q(state="open"), name="one_open_session_a_class"),
            models.UniqueConstraint(fields=("class_ref", "recorded_for"), name="one_session_an_instant_a_class"),
            models.UniqueConstraint(fields=("class_ref", "planned_for"), name="one_session_a_planned_lesson"),
        )
        indexes = (
            models.Index(fields=("started_at",), name="session_started"),
            models.Index(fields=("state", "ended_at"), name="session_state"),
            models.Index(fields=("class_ref", "state", "ended_at"), name="session_last_finished"),
        )

    def __str__(self) -> str:
        return f"{self.class_ref}, {self.started_at:%Y-%m-%d %H:%M}"


class SessionName(models.Model):
    """A name that a client gave a session. It is that session's for good: an ended one is never opened again by it."""

    id = id_field()
    name = models.CharField(max_length=128, unique=True)
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="names")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class Focus(models.Model):
    """One row: the session that `/ws` means when sessions are live one at a time.

    `number` counts its moves, so that who looks later can tell in which order sessions had it.
    """

    key = models.CharField(primary_key=True, max_length=8, default="focus", editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveBigIntegerField(default=1)


class Mark(models.Model):
    """One row of the journal: never changed, never deleted.

    The marks of one action of a person have the same `action`. An undoing is an action too: its marks say what the
    students' statuses are without the action `undoes`.
    """

    id = id_field()
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="marks")
    seq = models.PositiveIntegerField()
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="marks")
    #: Empty where an action was undone before which the student had no mark.
    status = models.CharField(max_length=8, choices=Status.choices, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=10, choices=Method.choices)
    note = models.CharField(max_length=255, blank=True, default="")
    #: A client's name for this mark: sent again, it makes no second one.
    key = models.CharField(max_length=64, null=True, blank=True)
    action = models.CharField(max_length=24, null=True, editable=False)
    undoes = models.CharField(max_length=24, null=True, editable=False)

    class Meta:
        ordering = ("session_id", "seq")  # by its id: by the session, every query would join it
        constraints = (
            models.UniqueConstraint(fields=("session", "seq"), name="one_mark_a_seq"),
            models.UniqueConstraint(fields=("session", "key"), name="one_mark_a_key"),
        )

    def __str__(self) -> str:
        return f"{self.seq}: {self.student} {self.status}"


class CheckIn(models.Model):
    """How the students of a session mark themselves (`attendance.check_in.CheckInRules`)."""

    session = models.OneToOneField(Session, on_delete=models.CASCADE, primary_key=True, related_name="check_in")
    #: Another one with each opening, so that codes and scans of the one before are no longer good.
    nonce = models.CharField(max_length=32, editable=False)
    mode = models.CharField(max_length=8)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    #: Metres.
    range = models.FloatField(null=True)
    checks_networks = models.BooleanField(default=False)
    outside = models.CharField(max_length=8)
    same_device = models.CharField(max_length=8)
    until = models.DateTimeField(null=True)
    is_closed = models.BooleanField(default=False)


class CheckInDevice(models.Model):
    """The first student who checked in to a session from a device."""

    id = id_field()
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    device = models.CharField(max_length=80)
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("session", "device"), name="one_student_a_device"),)


class UsedClaim(models.Model):
    """A scan that a student has checked in with; nobody else can."""

    key = models.CharField(primary_key=True, max_length=32)
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    used_at = models.DateTimeField(db_index=True)


class Flag(models.Model):
    """A check-in that counts and looks wrong. A teacher confirms it, or rejects it."""

    class Kind(models.TextChoices):
        OUT_OF_RANGE = "out_of_range"
        OTHER_DEVICE = "other_device"

    class State(models.TextChoices):
        OPEN = "open"
        CONFIRMED = "confirmed"
        REJECTED = "rejected"

    id = id_field()
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="flags")
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    #: How far from the place, metres; who else used the device.
    metres = models.PositiveIntegerField(null=True)
    other = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    at = models.DateTimeField(default=now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("id",)


class Attendance(models.Model):
    """A record: what a student's attendance in a finished session came to."""

    id = id_field()
    class_ref = models.ForeignKey(Class, on_delete=models.PROTECT, related_name="records", verbose_name="class")
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="records")
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="records")
    status = models.CharField(max_length=8, choices=Status.choices)
    method = models.CharField(max_length=10, choices=Method.choices)

    class Meta:
        verbose_name = "record"
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("session", "student"), name="one_record_a_student_a_session"),)

    def __str__(self) -> str:
        return f"{self.student}: {self.status}"


class Excuse(models.Model):
    """An absence that a student announces: from one instant to another, or of whole days of the school's time."""

    id = id_field()
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="excuses")
    since = models.DateTimeField("from")
    #: Whole days end with the midnight after the last of them, which is not part of them any more.
    until = models.DateTimeField()
    whole_days = models.BooleanField()
    note = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=("created_at",), name="excuse_created"),)

    def __str__(self) -> str:
        return f"{self.student}, {self.since:%Y-%m-%d}"


class ExcusedClass(models.Model):
    """A class that an excuse is for, and what a teacher of the class said of it."""

    id = id_field()
    excuse = models.ForeignKey(Excuse, on_delete=models.CASCADE, related_name="classes")
    class_ref = models.ForeignKey(Class, on_delete=models.CASCADE, related_name="+", verbose_name="class")
    state = models.CharField(max_length=10, choices=ExcuseState.choices, default=ExcuseState.ASKED)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "excused classes"
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("excuse", "class_ref"), name="one_excuse_a_class"),)
        indexes = (models.Index(fields=("state", "class_ref"), name="excuses_by_state"),)

    def __str__(self) -> str:
        return f"{self.class_ref}: {self.state}"


class Merge(models.Model):
    """Two accounts of one student that became one (`attendance.merging`). Kept for 30 days, or until it is undone."""

    id = id_field()
    keep = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    other = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField("merged", db_index=True)
    #: What was moved and what was overwritten (`attendance.ledger`).
    before = models.TextField(editable=False)

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.other} into {self.keep}"
