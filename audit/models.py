"""The audit log: who signed in, read, exported, changed, or was refused. Marks are not here: the journal has them."""

from django.db import models

from core.ids import id_field
from core.times import now


class Action(models.TextChoices):
    """What somebody did."""

    SIGN_IN = "sign_in", "signed in"
    CONNECT = "connect", "opened a socket"
    READ = "read", "read"
    EXPORT = "export", "exported"
    CHANGE = "change", "changed"


class Outcome(models.TextChoices):
    """What came of it."""

    DONE = "done", "done"
    REFUSED = "refused", "refused"


class Entry(models.Model):
    """What somebody did, once or several times within a second.

    People and things are named by their ids alone, without foreign keys: an entry outlives what it is about, and tells
    nobody's name after an account is erased.
    """

    id = id_field()
    at = models.DateTimeField(default=now, db_index=True)
    #: The person's id; empty for somebody who is not signed in, and for commands.
    actor = models.CharField(max_length=24, blank=True, default="", db_index=True)
    action = models.CharField(max_length=8, choices=Action.choices)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    #: By which way: a route's method and name, a socket's message, a command.
    way = models.CharField(max_length=128)
    #: What it was about: the kind of the thing, as the route's parameter says it, and its id.
    kind = models.CharField("kind of thing", max_length=32, blank=True, default="")
    thing = models.CharField("id of the thing", max_length=64, blank=True, default="", db_index=True)
    address = models.CharField(max_length=45, blank=True, default="")
    #: The id of the first request or socket; log lines have it, too.
    request_id = models.CharField("request or socket", max_length=64, blank=True, default="")
    times = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.way} at {self.at:%Y-%m-%d %H:%M:%S}"
