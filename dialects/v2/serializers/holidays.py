"""Holidays of the school."""

from typing import Any

from rest_framework import serializers

from core.rest.serializers import Id, InputSerializer, OutputSerializer, StrictDay, StrictString


class HolidayInput(InputSerializer):
    """Days without lessons, both included."""

    name = StrictString(max_length=255, trim_whitespace=True)
    until = StrictDay()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": StrictDay(source="since")}


class HolidayOutput(OutputSerializer):
    """`{_id, name, from, until}`."""

    _id = Id(source="id")
    name = serializers.CharField()
    until = StrictDay()

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": StrictDay(source="since")}
