"""Classes and who is enrolled in them."""

from datetime import date
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from accounts.signals import person_changed
from classes.signals import roster_changed
from core.database.named import Named, NamedQuerySet
from core.database.unit_of_work import after_commit, unit_of_work
from core.ids import ObjectIdField, id_field
from core.times import is_far, now, today

#: The threshold of a class whose teachers chose none.
THRESHOLD = 75


class Class(Named):
    """A teacher's class. Two classes may have the same name.

    A removed class is found nowhere any more. Its row stays, because its sessions, marks and records refer to it.
    """

    id = id_field()
    name = models.CharField(max_length=255)
    #: The name again, for a class that was made with a name of its own. The constraint refuses the second of two such
    #: classes that are made at once.
    reserved_name = models.CharField(max_length=255, unique=True, null=True, editable=False)
    batch = models.CharField(max_length=64, blank=True, default="")
    semester = models.CharField(max_length=64, blank=True, default="")
    department = models.CharField(max_length=128, blank=True, default="")
    #: Whoever attended less, percent, is named in reports.
    threshold = models.PositiveSmallIntegerField(default=THRESHOLD)
    teacher = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="classes_taught")
    students = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Enrolment", related_name="classes_attended")
    open_roster = models.BooleanField(
        default=False, help_text="Any student who joins a live session of this class is enrolled by that."
    )
    roster_version = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Raised by every change of the roster; the live server watches it."
    )
    #: Raised by `classes.services.class_hold`.
    holds = models.PositiveBigIntegerField(default=0, editable=False)
    #: Who checks in later than so many minutes after the start is late; null: nobody is late by themself.
    late_after_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    #: Whether a lesson of the timetable opens by itself when it begins.
    opens_by_itself = models.BooleanField(default=False)
    #: What taps on the board mark, one after the other: statuses, with blanks between.
    tap_order = models.CharField(max_length=64, default="present late absent excused")
    #: How students mark themselves where who opens the check-in does not say (`attendance.class_settings`), as JSON.
    check_in = models.TextField(blank=True, default="", editable=False)
    #: An archived class takes no more sessions. Everything of it can be read.
    archived_at = models.DateTimeField("archived", null=True, blank=True, editable=False)
    removed_at = models.DateTimeField("removed", null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager["Class"]] = models.Manager.from_queryset(NamedQuerySet["Class"])()

    class Meta:
        verbose_name_plural = "classes"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class CoTeacher(models.Model):
    """Somebody who teaches a class with its owner, the class's `teacher`."""

    id = id_field()
    class_ref = models.ForeignKey(Class, on_delete=models.CASCADE, related_name="co_teachers", verbose_name="class")
    teacher = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField("since", auto_now_add=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("class_ref", "teacher"), name="one_co_teacher_a_class"),)

    def __str__(self) -> str:
        return f"{self.teacher} with {self.class_ref}"


class Slot(models.Model):
    """A weekly lesson of a class, in the school's time. Times are texts: no database turns them into another zone's."""

    id = id_field()
    class_ref = models.ForeignKey(Class, on_delete=models.CASCADE, related_name="slots", verbose_name="class")
    #: 1 is Monday, 7 is Sunday.
    weekday = models.PositiveSmallIntegerField()
    #: `HH:MM`.
    start = models.CharField(max_length=5)
    end = models.CharField(max_length=5)
    #: The first day and the last one, both included; None is without end.
    since = models.DateField("from", null=True, blank=True)
    until = models.DateField(null=True, blank=True)
    #: The days on which the lesson is left out, `2025-03-11 2025-03-18`.
    left_out = models.TextField(blank=True, default="")
    room = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ("weekday", "start", "id")

    def __str__(self) -> str:
        return f"{self.class_ref}: {self.weekday}, {self.start}"


class Holiday(models.Model):
    """Days without lessons, for the whole school: from the first to the last, both included."""

    id = id_field()
    name = models.CharField(max_length=255)
    since = models.DateField("from")
    until = models.DateField()

    class Meta:
        ordering = ("since", "until", "id")
        constraints = (models.UniqueConstraint(fields=("since", "until", "name"), name="a_holiday_once"),)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.since and self.until and self.until < self.since:
            raise ValidationError({"until": "The last day is before the first."})
        if any(day and is_far(day) for day in (self.since, self.until)):
            raise ValidationError("Days of the years 1900 to 9000.")


#: A roster's order: the students as they were enrolled. Ids alone would not do: the ids that two processes make in one
#: second are not in the order of time.
ENROLMENT_ORDER = ("created_at", "id")


def covers(*, since: date | None, until: date | None, day: date) -> bool:
    """Whether an enrolment from `since` to `until` holds on `day`. Both are included; None is without end."""
    return (since is None or since <= day) and (until is None or day <= until)


class Enrolments(QuerySet["Enrolment"]):
    def on(self, day: date) -> "Enrolments":
        """Those that hold on `day`, by the rule of `covers`."""
        return self.filter(Q(since=None) | Q(since__lte=day), Q(until=None) | Q(until__gte=day))

    def current(self) -> "Enrolments":
        """Those that hold today."""
        return self.on(today())


class Enrolment(models.Model):
    """One student on one class's roster, from day to day.

    A student who left and comes back has the same row again. The days between count nowhere, since nobody is recorded
    who is not enrolled.
    """

    id = id_field()
    class_ref = models.ForeignKey(Class, on_delete=models.CASCADE, related_name="enrolments", verbose_name="class")
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enrolments")
    #: The first day; None: the student was always there, as far as anybody knows.
    since = models.DateField("from", null=True, blank=True, default=today)
    #: The last day; None: the student stays.
    until = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Enrolments.as_manager()

    class Meta:
        ordering = ENROLMENT_ORDER
        constraints = (
            models.UniqueConstraint(fields=("class_ref", "student"), name="one_enrolment_a_student_a_class"),
        )

    def __str__(self) -> str:
        return f"{self.student} in {self.class_ref}"


class SetAside(models.Model):
    """A student whom a sheet names, and whose address nobody has proved. Enrolled by the proof (`classes.waiting`)."""

    id = id_field()
    class_ref = models.ForeignKey(Class, on_delete=models.CASCADE, related_name="+", verbose_name="class")
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    roll_number = models.CharField(max_length=64, null=True, blank=True)
    created_at = models.DateTimeField("since", auto_now_add=True)

    class Meta:
        verbose_name_plural = "students set aside"
        ordering = ("-created_at", "-id")
        constraints = (models.UniqueConstraint(fields=("class_ref", "student"), name="set_aside_once_a_class"),)

    def __str__(self) -> str:
        return f"{self.student} for {self.class_ref}"


class Preview(models.Model):
    """A file that somebody has sent (`classes.previews`): they have seen its preview, or it could not be read.

    The row goes when what the preview said is done.
    """

    id = id_field()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    #: What the file is for, and the id of the class or session.
    kind = models.CharField(max_length=16)
    about_id = ObjectIdField()
    #: The file, and how it is read.
    content = models.TextField()
    #: Of what the preview said; "" for a file that could not be read.
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField(db_index=True)


@unit_of_work
def announce_roster(class_id: str) -> None:
    """Announces a change of the roster: raises its version in the unit of work, and tells the live server after commit.

    Saving or deleting an Enrolment announces itself. A bulk write must call this function.
    """
    Class.objects.filter(pk=class_id).update(roster_version=F("roster_version") + 1, updated_at=now())
    after_commit(lambda: roster_changed.send(sender=Class, class_id=class_id))


@receiver(person_changed)
def _person_changed(sender: type[models.Model], user_id: str, **kwargs: Any) -> None:
    for class_id in Enrolment.objects.filter(student_id=user_id).values_list("class_ref_id", flat=True):
        announce_roster(class_id)


@receiver([post_save, post_delete], sender=Enrolment)
def _enrolment_changed(sender: type[Enrolment], instance: Enrolment, **kwargs: Any) -> None:
    announce_roster(instance.class_ref_id)
