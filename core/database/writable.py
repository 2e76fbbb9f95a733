"""Whether the database can be written: its disk may be full, or it may be a standby that only reads."""

import threading
import time

from django.contrib.sessions.models import Session

from core.database.unit_of_work import retry_races, unit_of_work
from core.times import now

#: The row that is written. Its table is one that Django brings, and it counts as an ended session.
_KEY = "readyz"
#: A success is believed this long, seconds: whoever asks again and again costs the disk no more.
BELIEVED = 5.0

_lock = threading.Lock()
_written_at = float("-inf")


def check_writable() -> None:
    """Writes something, unless that has just succeeded. Raises what the database raises."""
    global _written_at  # noqa: PLW0603
    with _lock:
        if time.monotonic() - _written_at < BELIEVED:
            return
        _write()
        _written_at = time.monotonic()


def forget() -> None:
    """The next check writes."""
    global _written_at  # noqa: PLW0603
    _written_at = float("-inf")


@retry_races
@unit_of_work
def _write() -> None:
    if not Session.objects.filter(pk=_KEY).update(expire_date=now()):
        Session.objects.create(session_key=_KEY, session_data="", expire_date=now())
