"""Days and instants in the app's spelling. All of them are in the school's time (`TIME_ZONE`)."""

import re
from datetime import date, datetime
from typing import TypedDict

from django.utils import timezone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: JavaScript's `toDateString()`: `Sat May 17 2025`.
_DATE_STRING = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{1,2}) (\d{4})\Z", re.ASCII)


def read_instant(text: str) -> datetime:
    """The instant that an ISO date, an ISO time or a `toDateString()` names. Raises ValueError for anything else.

    A text without an offset is in the school's time; a text without a time of day names the day's first moment.
    """
    found = _DATE_STRING.match(text)
    if found and found[1] in _MONTHS:
        moment = datetime(int(found[3]), _MONTHS.index(found[1]) + 1, int(found[2]))  # noqa: DTZ001  made aware below
    else:
        moment = datetime.fromisoformat(text)
    if not 1970 <= moment.year < 2200:
        raise ValueError("no year of a school's")
    aware = moment if moment.tzinfo is not None else timezone.make_aware(moment)
    return aware.replace(microsecond=aware.microsecond // 1000 * 1000)


def read_day(text: str) -> date:
    """The school's day in which the instant of `read_instant` is."""
    return timezone.localtime(read_instant(text)).date()


class DayAndTime(TypedDict):
    """A day as `dd-mm-yy` and a time as `HH:MM`, in the school's time."""

    date: str
    time: str


def day_and_time(moment: datetime) -> DayAndTime:
    """The app's spelling of an instant."""
    local = timezone.localtime(moment)
    return {"date": f"{local:%d-%m-%y}", "time": f"{local:%H:%M}"}
