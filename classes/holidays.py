"""Holidays of the school: days on which timetables have no lessons. What was held on such a day stays as it is."""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.limits import take
from classes.calendars.holidays import HolidaysPlan, Span, holidays_plan
from classes.models import Holiday
from classes.previews import Kept, PreviewKind, SentFile, preview_get, preview_keep, preview_take
from core import errors, limits
from core.database.prepared import Prepared
from core.database.unit_of_work import retry_races, unit_of_work
from core.identity import Actor
from core.ids import parse_id
from core.times import today


def holidays_listed() -> QuerySet[Holiday]:
    """All of them, by day."""
    return Holiday.objects.all()


def holidays_within(first: date, last: date) -> list[Holiday]:
    """Those of which a day lies between the two days, both included."""
    return list(Holiday.objects.filter(since__lte=last, until__gte=first))


def is_holiday(day: date) -> bool:
    return _on(day).first() is not None


@functools.lru_cache(maxsize=16)
def _on(day: date) -> Prepared[str]:
    rows = Holiday.objects.filter(since__lte=day, until__gte=day).order_by()
    return Prepared(lambda: rows.values_list("id", flat=True)[:1])


def holiday_get(holiday_id: str) -> Holiday:
    """Raises `HolidayNotFound`."""
    key = parse_id(holiday_id)
    found = Holiday.objects.filter(pk=key).first() if key else None
    if found is None:
        raise errors.HolidayNotFound
    return found


@retry_races
@unit_of_work
def holiday_add(*, name: str, since: date, until: date) -> Holiday:
    """One that is there already stays as it is. Raises `InvalidSchema` where the last day is before the first."""
    if until < since:
        raise errors.InvalidSchema({"until": [_("A day before `from`.")]})
    known = Holiday.objects.filter(name=name, since=since, until=until).first()
    return known or Holiday.objects.create(name=name, since=since, until=until)


@unit_of_work
def holiday_remove(*, holiday: Holiday) -> None:
    """The days have their lessons again."""
    holiday.delete()


@dataclass(frozen=True, slots=True)
class HolidaysImport:
    """What a file comes to, and which of its holidays are new, or were.

    `token`: what does it; None where there is nothing to do, where an event is refused, and for the command.
    """

    plan: HolidaysPlan
    new: Sequence[Span]
    token: str | None = None


def holidays_import_plan(data: bytes) -> HolidaysImport:
    """What `holidays_write` would do with the file's holidays. Raises `CalendarError` for one that cannot be taken."""
    plan = holidays_plan(data, school=timezone.get_current_timezone(), today=today())
    return HolidaysImport(plan, _new(plan.spans))


@retry_races
@unit_of_work
def holidays_write(spans: Sequence[Span]) -> Sequence[Span]:
    """Adds those of the holidays that are new, and returns these. None goes."""
    new = _new(spans)
    Holiday.objects.bulk_create([Holiday(name=span.name, since=span.since, until=span.until) for span in new])
    return new


def holidays_import_preview(*, actor: Actor, file: SentFile) -> HolidaysImport:
    """What importing `file` would do now. Writes nothing but that. Raises `CalendarError`, `TooManyRequests`."""
    take(limits.CALENDARS, actor.id)
    found = holidays_import_plan(file.data)
    if found.plan.refused or not found.new:
        return found
    token = preview_keep(
        actor=actor, kind=PreviewKind.HOLIDAYS, about_id=actor.id, file=file, digest=_digest(found.new)
    )
    return replace(found, token=token)


def holidays_import(*, actor: Actor, token: str) -> Sequence[Span]:
    """Does what the preview of this token said, once, or nothing; the holidays that are new.

    Raises `PreviewNotFound`, `Changed` where others would be new by now, `TooManyRequests`.
    """
    take(limits.CALENDARS, actor.id)
    kept = preview_get(actor=actor, kind=PreviewKind.HOLIDAYS, about_id=actor.id, token=token)
    return _do(kept, holidays_import_plan(kept.file.data).plan.spans)


@unit_of_work
def _do(kept: Kept, spans: Sequence[Span]) -> Sequence[Span]:
    preview_take(kept)
    new = holidays_write(spans)
    if _digest(new) != kept.digest:
        raise errors.Changed
    return new


def _new(spans: Sequence[Span]) -> list[Span]:
    known = {Span(*row) for row in Holiday.objects.values_list("since", "until", "name")}
    return [span for span in spans if span not in known]


def _digest(spans: Sequence[Span]) -> str:
    return hashlib.sha256(repr(spans).encode()).hexdigest()
