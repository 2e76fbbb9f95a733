"""What an answer shows is what DRF's own serializer shows, however a field finds its value."""

from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework import serializers

from core.rest.serializers import IsoTime, OutputSerializer
from core.times import now


class InnerOutput(OutputSerializer):
    number = serializers.IntegerField()


class PlainOutput(OutputSerializer):
    name = serializers.CharField()
    since = IsoTime(source="moment", allow_null=True)
    inner = InnerOutput(allow_null=True)
    inners = InnerOutput(many=True)


class OddOutput(OutputSerializer):
    name = serializers.CharField()
    deep = serializers.IntegerField(source="inner.number")
    made = serializers.SerializerMethodField()

    def get_made(self, source: Any) -> str:
        return "made"


class OptionalOutput(OutputSerializer):
    name = serializers.CharField(required=False)
    other = serializers.CharField(default="usual")
    number = serializers.IntegerField(allow_null=True)


INNER = {"number": 5}
WHOLE = {"name": "Asha", "moment": now(), "inner": INNER, "inners": [INNER, SimpleNamespace(number=6)]}


@pytest.mark.parametrize("shape", [PlainOutput, OddOutput, OptionalOutput])
@pytest.mark.parametrize(
    "values",
    [
        WHOLE,
        {**WHOLE, "moment": None},
        {**WHOLE, "name": lambda: "called"},
        {**WHOLE, "name": None, "inners": []},
        {**WHOLE, "number": 7, "other": "another"},
    ],
)
def test_an_object_and_a_dict_are_shown_as_drf_shows_them(
    shape: type[OutputSerializer], values: dict[str, Any]
) -> None:
    for source in (values, SimpleNamespace(**values)):
        shown = shape.show(source)
        assert shown == serializers.Serializer.to_representation(shape(), source)
        assert [*shown] == [str(name) for name in shape().fields if str(name) in shown]


def test_a_field_without_a_value_is_a_fault() -> None:
    with pytest.raises(KeyError):
        PlainOutput.show({})
    with pytest.raises(AttributeError):
        PlainOutput.show(SimpleNamespace())
