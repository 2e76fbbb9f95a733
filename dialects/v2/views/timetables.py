"""Timetables, the lessons of a day, and the settings of a class."""

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from attendance.lessons import lessons_on
from classes.access import class_for_teacher
from classes.calendars.reasons import CalendarError
from classes.previews import SentFile
from classes.services import SETTINGS, class_settings_update
from classes.timetable_imports import timetable_import, timetable_import_preview
from classes.timetables import WeeklyLesson, timetable, timetable_replace
from core.errors import Changed, InvalidSchema, PreviewNotFound, TooManyRequests
from core.rest.permissions import Audience
from core.rest.rendered import tag_of
from core.times import today
from dialects.v2.base import V2View
from dialects.v2.paging import page_of
from dialects.v2.query import day_asked
from dialects.v2.serializers.imports import DoInput
from dialects.v2.serializers.timetables import (
    LessonOutput,
    SettingsInput,
    SettingsOutput,
    TimetableFileInput,
    TimetableImportOutput,
    TimetableInput,
    TimetableOutput,
    settings_shown,
    timetable_import_shown,
)
from dialects.v2.views.classes import OF_A_CLASS


def tag(slots: list[WeeklyLesson]) -> str:
    """The `ETag` of a timetable."""
    return tag_of(*map(repr, slots))


def settings_tag(found: Any) -> str:
    """The `ETag` of a class's settings."""
    return tag_of(found.id, *(str(getattr(found, name)) for name in SETTINGS))


class TimetableDetail(V2View):
    """`GET /api/v2/classes/:id/timetable`: the weekly lessons of the class."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: TimetableOutput, 304: None}
    raises = OF_A_CLASS

    def get(self, request: Request, class_id: str) -> HttpResponseBase:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        slots = timetable(found.id)
        return self.tagged(lambda: Response(TimetableOutput.show({"slots": slots})), tag(slots))


class TimetableReplace(V2View):
    """`PUT /api/v2/classes/:id/timetable`: the class has these weekly lessons from now on."""

    audience = Audience.SIGNED_IN
    body = TimetableInput
    takes_headers: ClassVar = {"If-Match": "The `ETag` of what was read: 412 if that has changed."}
    answers: ClassVar = {200: TimetableOutput}
    raises = (*OF_A_CLASS, Changed)

    def put(self, request: Request, class_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        before = timetable(found.id)
        was_read = self.refuse_if_changed(tag(before))
        wanted = [WeeklyLesson(**slot) for slot in self.read()["slots"]]
        slots = timetable_replace(class_id=found.id, slots=wanted, seen=before if was_read else None)
        return Response(TimetableOutput.show({"slots": slots}), headers={"ETag": tag(slots)})


class TimetableImport(V2View):
    """`POST /api/v2/classes/:id/timetable/import`: the timetable that a calendar file comes to.

    A form with a `file` answers what becomes of every event, and a `token`; JSON with that `token`, within an hour,
    does what was shown.
    """

    heavy = True
    audience = Audience.SIGNED_IN
    form = TimetableFileInput
    body = DoInput
    answers: ClassVar = {200: TimetableImportOutput}
    raises = (*OF_A_CLASS, PreviewNotFound, Changed, TooManyRequests)

    def post(self, request: Request, class_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        body = self.read()
        try:
            if not self.brings_file:
                done = timetable_import(actor=self.actor, class_id=found.id, token=body["token"])
            else:
                sent = SentFile(body["file"].read(), body["file"].name, since=body["since"], until=body["until"])
                done = timetable_import_preview(actor=self.actor, class_id=found.id, file=sent)
            if self.brings_file and not body["dry_run"]:
                if done.token is None:
                    said = gettext("Line %(line)d: %(reason)s")
                    wrong = [said % {"line": row.line, "reason": row.reason} for row in done.plan.refused]
                    raise InvalidSchema({"file": wrong})
                done = timetable_import(actor=self.actor, class_id=found.id, token=done.token)
        except CalendarError as failure:
            raise InvalidSchema({"file": [str(failure)]}) from None
        return Response(timetable_import_shown(done))


class Lessons(V2View):
    """`GET /api/v2/lessons`: the lessons of a day of the classes that one teaches or attends, by time."""

    quick = True
    audience = Audience.SIGNED_IN
    filters: ClassVar = {"day": (str, "Such as 2025-03-11; today if it is left out.")}
    answers: ClassVar = {200: page_of(LessonOutput)}

    def get(self, request: Request) -> Response:
        day = day_asked(request.query_params, "day") or today()
        return Response({"items": LessonOutput.show_all(lessons_on(actor=self.actor, day=day)), "next": None})


class SettingsDetail(V2View):
    """`GET /api/v2/classes/:id/settings`: what its teachers chose for the class."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: SettingsOutput, 304: None}
    raises = OF_A_CLASS

    def get(self, request: Request, class_id: str) -> HttpResponseBase:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        return self.tagged(lambda: Response(settings_shown(found)), settings_tag(found))


class SettingsChange(V2View):
    """`PATCH /api/v2/classes/:id/settings`: other settings; what is left out stays."""

    audience = Audience.SIGNED_IN
    body = SettingsInput
    answers: ClassVar = {200: SettingsOutput}
    raises = OF_A_CLASS

    def patch(self, request: Request, class_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        was_read = self.refuse_if_changed(settings_tag(found))
        changes: dict[str, Any] = self.read()
        changed = class_settings_update(class_id=found.id, seen=found if was_read else None, **changes)
        return Response(settings_shown(changed), headers={"ETag": settings_tag(changed)})
