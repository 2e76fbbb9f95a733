"""Timetables, lessons and the settings of a class."""

import re
from datetime import time
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attendance.class_settings import check_in_defaults, packed_defaults, packed_order, tap_order
from attendance.enums import Status
from classes.calendars.rows import Outcome
from classes.timetable_imports import TimetableImport
from classes.timetables import MOST_SLOTS
from core.rest.serializers import (
    FlagText,
    Id,
    InputSerializer,
    IsoTime,
    OutputSerializer,
    StrictDay,
    StrictFlag,
    StrictInteger,
    StrictString,
)
from dialects.v2.serializers.check_in import (
    CheckInOptionsInput,
    CheckInOptionsOutput,
    options_of,
    options_shown,
)

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})
class Clock(StrictString):
    """A time of the school's day, `09:00`. One with an offset is refused: DRF's own field would drop the offset."""

    default_error_messages: ClassVar = {"invalid_clock": _("Not a time of the day: write it as 09:00.")}

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if not _CLOCK.match(text):
            self.fail("invalid_clock")
        return time.fromisoformat(text)

    def to_representation(self, value: Any) -> str:
        return f"{value:%H:%M}"


class SlotInput(InputSerializer):
    weekday = StrictInteger(min_value=1, max_value=7, help_text="1 is Monday.")
    start = Clock()
    end = Clock()
    until = StrictDay(required=False, allow_null=True, default=None)
    room = StrictString(required=False, allow_blank=True, max_length=64, default="")

    def get_fields(self) -> dict[str, Any]:
        # `from` and `except` are words of Python's, so no attribute can have these names.
        return {
            **super().get_fields(),
            "from": StrictDay(source="since", required=False, allow_null=True, default=None),
            "except": serializers.ListField(
                source="left_out", child=StrictDay(), required=False, default=list, max_length=366
            ),
        }


class TimetableInput(InputSerializer):
    slots = serializers.ListField(child=SlotInput(), allow_empty=True, max_length=MOST_SLOTS)


class SlotOutput(OutputSerializer):
    """`{weekday, start, end, from, until, except, room}`: a weekly lesson, in the school's time."""

    weekday = serializers.IntegerField()
    start = Clock()
    end = Clock()
    until = StrictDay(allow_null=True)
    room = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        return {
            **super().get_fields(),
            "from": StrictDay(source="since", allow_null=True),
            "except": serializers.ListField(source="left_out", child=StrictDay()),
        }


class TimetableOutput(OutputSerializer):
    """`{slots}`."""

    slots = SlotOutput(many=True)


class TimetableFileInput(InputSerializer):
    """A calendar file, and the days of it that are taken."""

    file = serializers.FileField(allow_empty_file=True, max_length=255, help_text="iCalendar (.ics).")
    dryRun = FlagText(
        source="dry_run",
        default=True,
        help_text="true, or left out: shows what the file comes to. false: does it at once, or nothing where an event"
        " is refused.",
    )
    until = StrictDay(required=False, default=None, help_text="The last day. What has no end is taken for a year.")

    def get_fields(self) -> dict[str, Any]:
        first = StrictDay(source="since", required=False, default=None, help_text="The first day.")
        return {**super().get_fields(), "from": first}


class TimetableRowOutput(OutputSerializer):
    """`{line, uid, name, outcome, reason, lessons}`: an event with its repetitions, and what becomes of it."""

    line = serializers.IntegerField()
    uid = serializers.CharField()
    name = serializers.CharField()
    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome])
    reason = serializers.CharField(allow_null=True)
    lessons = serializers.IntegerField(source="days")


class TimetableCountsOutput(OutputSerializer):
    """How many events have which outcome."""

    def get_fields(self) -> dict[str, Any]:
        return {outcome.value: serializers.IntegerField() for outcome in Outcome}


class TimetableImportOutput(OutputSerializer):
    """`{rows, counts, slots, before, token}`."""

    rows = TimetableRowOutput(many=True)
    counts = TimetableCountsOutput()
    slots = SlotOutput(many=True, help_text="What the class has then.")
    before = SlotOutput(many=True, help_text="What it has until then.")
    token = serializers.CharField(
        allow_null=True, help_text="Does it, within an hour. null where it is done, and where an event is refused."
    )


def timetable_import_shown(done: TimetableImport) -> dict[str, Any]:
    """What an answer shows of an import."""
    rows = done.plan.rows
    return TimetableImportOutput.show(
        {
            "rows": rows,
            "counts": {one.value: sum(row.outcome is one for row in rows) for one in Outcome},
            "slots": done.plan.slots,
            "before": done.before,
            "token": done.token,
        }
    )


class LessonOutput(OutputSerializer):
    """`{classId, className, start, end, room, session}`: a lesson of a day."""

    classId = Id(source="class_id")
    className = serializers.CharField(source="class_name")
    start = IsoTime()
    end = IsoTime(allow_null=True)
    room = serializers.CharField()
    session = Id(source="session_id", allow_null=True)


class SettingsInput(InputSerializer):
    threshold = StrictInteger(required=False, min_value=0, max_value=100, help_text="Percent.")
    lateAfterMinutes = StrictInteger(
        source="late_after_minutes",
        required=False,
        allow_null=True,
        min_value=0,
        max_value=600,
        help_text="Who checks in later than this is late; null: nobody is late by themself.",
    )
    opensByItself = StrictFlag(
        source="opens_by_itself",
        required=False,
        help_text="Whether lessons of the timetable open when they begin, and end when they are over and nobody marks.",
    )

    order = serializers.ListField(
        child=serializers.ChoiceField(Status.values),
        required=False,
        min_length=1,
        max_length=len(Status),
        help_text="What taps on the board mark, one after the other.",
    )
    checkIn = CheckInOptionsInput(
        required=False, allow_null=True, help_text="How students mark themselves where the opening does not say."
    )

    def validate_order(self, order: list[str]) -> list[str]:
        if len(set(order)) != len(order):
            raise serializers.ValidationError(_("A status is there twice."))
        return order

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The columns that change, by their names."""
        changes = {name: value for name, value in attrs.items() if name not in ("order", "checkIn")}
        if "order" in attrs:
            changes["tap_order"] = packed_order([Status(word) for word in attrs["order"]])
        if "checkIn" in attrs:
            body = attrs["checkIn"]
            changes["check_in"] = packed_defaults(None if body is None else options_of(body, None, "checkIn."))
        return changes


class SettingsOutput(OutputSerializer):
    """`{threshold, lateAfterMinutes, opensByItself, order, checkIn}`."""

    threshold = serializers.IntegerField()
    lateAfterMinutes = serializers.IntegerField(source="late_after_minutes", allow_null=True)
    opensByItself = serializers.BooleanField(source="opens_by_itself")
    order = serializers.ListField(child=serializers.ChoiceField(Status.values))
    checkIn = CheckInOptionsOutput(allow_null=True)


def settings_shown(found: Any) -> dict[str, Any]:
    """What an answer shows of a class's settings."""
    defaults = check_in_defaults(found)
    return SettingsOutput.show(
        {
            **{name: getattr(found, name) for name in ("threshold", "late_after_minutes", "opens_by_itself")},
            "order": tap_order(found),
            "checkIn": None if defaults is None else options_shown(defaults),
        }
    )
