"""What AttenTrack's app says about a lesson and nobody else asks for, as the app spelt it (JSON).

These tables name a session and a teacher by id alone, without a foreign key. A foreign key would stay in the database
when this folder is deleted, and refuse there what the core may do. A session's row is never deleted, so no row here is
left without its session. The place of a deleted teacher is never read again.
"""

from django.db import models

from core.ids import ObjectIdField


class CheckIn(models.Model):
    """How students mark themselves in a session."""

    session_id = ObjectIdField(primary_key=True)
    #: What they must know; empty where they may not mark themselves.
    code = models.CharField(max_length=128, blank=True, default="")
    #: What the teacher's app counts down.
    countdown = models.CharField(max_length=128, blank=True, default="")


class TeachingPlace(models.Model):
    """Where a teacher teaches and how far from there students may be, as the teacher's app last told it.

    `key` is the teacher's id, or `ANYBODY`: with ATTENTRACK_OPEN nobody says who tells it.
    """

    ANYBODY = "anybody"

    key = models.CharField(primary_key=True, max_length=24)
    location = models.TextField()
    radius = models.CharField(max_length=128)
    told_at = models.DateTimeField()
