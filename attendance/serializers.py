"""The shapes of the attendance routes."""

from rest_framework import serializers

from core.rest.serializers import Id, InputSerializer, IsoTime, OutputSerializer, StrictString


class StartInput(InputSerializer):
    classId = StrictString(source="class_id", allow_blank=True)


class StartOutput(OutputSerializer):
    """`{classId, startedAt}`."""

    classId = Id(source="class_ref_id")
    startedAt = IsoTime(source="started_at")


class MyAttendanceOutput(OutputSerializer):
    """`{classId, status}`, `status` present, absent or null."""

    classId = Id()
    status = serializers.ChoiceField(["present", "absent"], allow_null=True)
