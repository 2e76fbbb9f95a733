"""The parts of a lesson that only AttenTrack's app knows, as the app spelt them (JSON).

These tables name a session and a teacher by id alone, without a foreign key. A foreign key would stay in the database
when this folder is deleted, and refuse there what the core may do. A session's row is never deleted, so no row here is
left without its session. The place of a deleted teacher is never read again.
"""

from django.db import models

from core.ids import ObjectIdField


class CheckIn(models.Model):
    """How students mark themselves in a session."""

    session_id = ObjectIdField(primary_key=True)
    #: The code that students must send; empty if they may not mark themselves.
    code = models.CharField(max_length=128, blank=True, default="")
    #: The countdown that the teacher's app shows; empty if it sent none.
    countdown = models.CharField(max_length=128, blank=True, default="")


class TeachingPlace(models.Model):
    """Where a teacher teaches and how far from there students may be, as the teacher's app last told it.

    `key` is the teacher's id. It is `ANYBODY` for a place that came without a token, which ATTENTRACK_OPEN allows.
    """

    ANYBODY = "anybody"

    key = models.CharField(primary_key=True, max_length=24)
    location = models.TextField()
    radius = models.CharField(max_length=128)
    told_at = models.DateTimeField()
