"""Timetables from calendar files, in two steps: the slots that a file comes to, and then the class has these."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from accounts.limits import take
from classes.calendars.lessons import TimetablePlan, lessons_plan
from classes.previews import Kept, PreviewKind, SentFile, preview_get, preview_keep, preview_take
from classes.timetables import WeeklyLesson, timetable, timetable_replace
from core import errors, limits
from core.database.unit_of_work import unit_of_work
from core.identity import Actor
from core.times import today


@dataclass(frozen=True, slots=True)
class TimetableImport:
    """What a file comes to, and the slots that the class has or had `before`.

    `token`: what does it; None where it is done, and where an event is refused, so that it cannot be.
    """

    plan: TimetablePlan
    before: Sequence[WeeklyLesson]
    token: str | None


def timetable_import_preview(*, actor: Actor, class_id: str, file: SentFile) -> TimetableImport:
    """The timetable that the class would have by `file`, in place of the one that it has. Writes nothing but that.

    Raises `CalendarError` for a file that cannot be taken, and `TooManyRequests`.
    """
    plan, before = _plan(actor, file), timetable(class_id)
    if plan.refused:
        return TimetableImport(plan, before, None)
    digest = _digest(plan, before)
    token = preview_keep(actor=actor, kind=PreviewKind.TIMETABLE, about_id=class_id, file=file, digest=digest)
    return TimetableImport(plan, before, token)


def timetable_import_file(*, actor: Actor, class_id: str, token: str) -> SentFile:
    """The file of a preview, to be looked at again. Raises `PreviewNotFound`."""
    return preview_get(actor=actor, kind=PreviewKind.TIMETABLE, about_id=class_id, token=token).file


def timetable_import(*, actor: Actor, class_id: str, token: str) -> TimetableImport:
    """Does what the preview of this token said, once, or nothing.

    Raises `PreviewNotFound`, `Changed` where the timetable or the file's slots are others by now, `TooManyRequests`.
    """
    kept = preview_get(actor=actor, kind=PreviewKind.TIMETABLE, about_id=class_id, token=token)
    plan = _plan(actor, kept.file)
    return TimetableImport(plan, _do(class_id, kept, plan), None)


@unit_of_work
def _do(class_id: str, kept: Kept, plan: TimetablePlan) -> Sequence[WeeklyLesson]:
    preview_take(kept)
    before = timetable(class_id)
    if plan.refused or _digest(plan, before) != kept.digest:
        raise errors.Changed
    timetable_replace(class_id=class_id, slots=plan.slots, seen=before)
    return before


def _plan(actor: Actor, file: SentFile) -> TimetablePlan:
    take(limits.CALENDARS, actor.id)
    school = timezone.get_current_timezone()
    return lessons_plan(file.data, school=school, today=today(), since=file.since, until=file.until)


def _digest(plan: TimetablePlan, before: Sequence[WeeklyLesson]) -> str:
    return hashlib.sha256(repr((list(before), list(plan.slots))).encode()).hexdigest()
