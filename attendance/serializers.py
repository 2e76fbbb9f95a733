"""The shapes of the attendance routes."""

from typing import Any

from rest_framework import serializers

from core.fields import InputSerializer, StrictString
from core.times import to_iso


class StartInput(InputSerializer):
    classId = StrictString(source="class_id", allow_blank=True)


class StartOutput(serializers.Serializer[Any]):
    """`{classId, startedAt}`."""

    classId = serializers.CharField(source="class_ref_id")
    startedAt = serializers.SerializerMethodField()

    def get_startedAt(self, session: Any) -> str:
        return to_iso(session.started_at)


class MyAttendanceOutput(serializers.Serializer[Any]):
    """`{classId, status}`, `status` present, absent or null."""

    classId = serializers.CharField()
    status = serializers.CharField(allow_null=True)
