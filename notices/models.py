"""What people and other systems are told of attendance: what stands, and what is still to be delivered."""

from django.conf import settings
from django.db import models

from attendance.models import Session
from classes.models import Class
from core.ids import id_field


class Kind(models.TextChoices):
    """What is told. The values are the events of webhooks."""

    ENDED = "session.ended", "a session ended"
    BELOW = "threshold.crossed", "attended less than the class's threshold"
    AWAY = "absent.consecutive", "absent several times in a row"


class Webhook(models.Model):
    """An address of another system that is told of events."""

    id = id_field()
    url = models.TextField()
    #: The kinds that are told, separated by spaces.
    events = models.CharField(max_length=255)
    #: The key of the signatures, sealed (`core.sealing`).
    secret = models.CharField(max_length=255, editable=False)
    is_active = models.BooleanField(default=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    told_at = models.DateTimeField("last told", null=True)
    failed_at = models.DateTimeField("last failed", null=True)
    #: Why, in words.
    failure = models.CharField(max_length=255, default="")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.url


class Due(models.Model):
    """A session whose records were written or corrected, and which is to be looked at once they have rested."""

    session = models.OneToOneField(Session, on_delete=models.CASCADE, primary_key=True, related_name="+")
    due_at = models.DateTimeField(db_index=True)


class Notice(models.Model):
    """Something that is told, once. `key` says what, for as long as it holds; then the same may be told again."""

    id = id_field()
    kind = models.CharField(max_length=32, choices=Kind.choices)
    key = models.CharField(max_length=128, unique=True, null=True)
    class_ref = models.ForeignKey(Class, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, null=True, related_name="+")
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField()


class Delivery(models.Model):
    """A notice that one webhook or one person is still to get. The row goes once they have it.

    No address is kept here: a mail goes to the one that the person has when it is sent.
    """

    id = id_field()
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, null=True, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    #: Whether the mail goes to the guardian's address of the person.
    is_for_guardian = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField()

    @property
    def is_for_teacher(self) -> bool:
        """Whether it goes to somebody who teaches the student."""
        return self.person_id not in (None, self.notice.student_id)
