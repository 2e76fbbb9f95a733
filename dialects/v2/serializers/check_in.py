"""Self check-in."""

import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import serializers

from attendance.check_in import FARTHEST, Answer, CheckInOptions, CheckInRules, Circle, Mode, Place
from attendance.enums import Status
from core.errors import InvalidSchema
from core.rest.serializers import (
    Id,
    InputSerializer,
    IsoTime,
    OutputSerializer,
    StrictFlag,
    StrictString,
    StrictTime,
)
from core.times import now


class StrictNumber(serializers.FloatField):
    """A JSON number; DRF's own field takes strings and true as well."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float) or not math.isfinite(data):
            self.fail("invalid")
        return float(data)


class PlaceInput(InputSerializer):
    """`{latitude, longitude, accuracy?}`; degrees and metres."""

    latitude = StrictNumber(min_value=-90, max_value=90)
    longitude = StrictNumber(min_value=-180, max_value=180)
    accuracy = StrictNumber(min_value=0, max_value=FARTHEST, default=0.0)

    def validate(self, attrs: dict[str, Any]) -> Place:
        return Place(attrs["latitude"], attrs["longitude"], attrs["accuracy"])


class CheckInOptionsInput(InputSerializer):
    """How students mark themselves. What is left out is as the class's settings say.

    `place` and `range` go together, and null is no matter where.
    """

    mode = serializers.ChoiceField(
        [mode.value for mode in Mode], required=False, help_text="May be left out where the class's settings say it."
    )
    place = PlaceInput(required=False, allow_null=True)
    range = StrictNumber(min_value=1, max_value=FARTHEST, required=False, allow_null=True, help_text="Metres.")
    networks = StrictFlag(required=False)
    outside = serializers.ChoiceField([answer.value for answer in Answer], required=False)
    sameDevice = serializers.ChoiceField([answer.value for answer in Answer], required=False)


class CheckInInput(CheckInOptionsInput):
    until = StrictTime(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        until = attrs.get("until")
        if until is not None and until <= now():
            raise serializers.ValidationError({"until": [_("A time to come.")]})
        return attrs


def options_of(body: Mapping[str, Any], defaults: CheckInOptions | None, path: str = "") -> CheckInOptions:
    """The options of a validated body; `path` stands before the names of fields. Raises `InvalidSchema`."""
    if defaults is None and "mode" not in body:
        raise InvalidSchema({f"{path}mode": [_("This field is required.")]})
    base = defaults or CheckInOptions(Mode(body["mode"]))
    networks = body.get("networks", base.checks_networks)
    if networks and not settings.CHECK_IN_NETWORKS:
        raise InvalidSchema({f"{path}networks": [_("This school has set no networks.")]})
    return CheckInOptions(
        mode=Mode(body.get("mode", base.mode)),
        circle=_circle(body, base.circle, path),
        checks_networks=networks,
        outside=Answer(body.get("outside", base.outside)),
        same_device=Answer(body.get("sameDevice", base.same_device)),
    )


def _circle(body: Mapping[str, Any], usual: Circle | None, path: str) -> Circle | None:
    given = {name: body[name] for name in ("place", "range") if name in body}
    if given and not any(given.values()):
        return None
    place = given.get("place", usual and usual.centre)
    metres = given.get("range", usual and usual.radius)
    if (place is None) != (metres is None):
        missing = "place" if place is None else "range"
        raise InvalidSchema({f"{path}{missing}": [_("place and range go together.")]})
    return None if place is None or metres is None else Circle(place, metres)


class CircleOutput(OutputSerializer):
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()


class CheckInOptionsOutput(OutputSerializer):
    """`{mode, place, range, networks, outside, sameDevice}`."""

    mode = serializers.ChoiceField([mode.value for mode in Mode])
    place = CircleOutput(allow_null=True)
    range = serializers.FloatField(allow_null=True)
    networks = serializers.BooleanField()
    outside = serializers.ChoiceField([answer.value for answer in Answer])
    sameDevice = serializers.ChoiceField([answer.value for answer in Answer], source="same_device")


class CheckInOutput(CheckInOptionsOutput):
    """`{mode, place, range, networks, outside, sameDevice, until}`; a student is told no `place`."""

    until = IsoTime(allow_null=True)


def options_shown(options: CheckInOptions | CheckInRules, *, with_place: bool = True) -> dict[str, Any]:
    """The options, for an output serializer."""
    circle = options.circle
    return {
        "mode": options.mode.value,
        "place": circle.centre if circle is not None and with_place else None,
        "range": circle.radius if circle is not None else None,
        "networks": options.checks_networks,
        "outside": options.outside.value,
        "same_device": options.same_device.value,
    }


def check_in_shown(rules: CheckInRules | None, *, to_teacher: bool) -> dict[str, Any] | None:
    """What is shown of a check-in; None while it is closed."""
    if rules is None or not rules.is_open(now()):
        return None
    return CheckInOutput.show({**options_shown(rules, with_place=to_teacher), "until": rules.until})


class CodeOutput(OutputSerializer):
    """`{code, validUntil, url, qr}`; `qr` is an SVG of the `url`."""

    code = serializers.CharField()
    validUntil = IsoTime(source="valid_until", allow_null=True)
    url = serializers.CharField()
    qr = serializers.CharField()


class ClaimInput(InputSerializer):
    session = StrictString(source="session_id", max_length=64)
    code = StrictString(max_length=16)


class ClaimOutput(OutputSerializer):
    """`{claim, expiresAt, className}`."""

    claim = serializers.CharField()
    expiresAt = IsoTime(source="expires_at")
    className = serializers.CharField(source="class_name")


class SelfMarkInput(InputSerializer):
    """Exactly one of `claim` and `code`, and where the student is."""

    claim = StrictString(required=False, max_length=512)
    code = StrictString(required=False, max_length=16)
    place = PlaceInput(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("claim" in attrs) == ("code" in attrs):
            raise serializers.ValidationError({"claim": [_("Exactly one of claim and code.")]})
        return attrs


class SelfMarkOutput(OutputSerializer):
    """`{session, className, status, flags}`."""

    session = Id(source="session_id")
    className = serializers.CharField(source="class_name")
    status = serializers.ChoiceField(Status.choices)
    flags = serializers.ListField(child=serializers.ChoiceField(["out_of_range", "other_device"]))


class KioskOutput(OutputSerializer):
    """`{key, expiresAt}`."""

    key = serializers.CharField()
    expiresAt = IsoTime(source="expires_at")


class KioskMarkInput(InputSerializer):
    code = StrictString(max_length=512, help_text="A roll number, or what a card's QR code says.")


class KioskMarkOutput(OutputSerializer):
    """`{className, name, status}`."""

    className = serializers.CharField(source="class_name")
    name = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)


class DecisionInput(InputSerializer):
    confirm = StrictFlag()


class FlagOutput(OutputSerializer):
    """`{_id, studentId, name, kind, metres, otherStudentId, state, at}`."""

    _id = Id(source="id")
    studentId = Id(source="student_id")
    name = serializers.CharField()
    kind = serializers.ChoiceField(["out_of_range", "other_device"])
    metres = serializers.IntegerField(allow_null=True)
    otherStudentId = Id(source="other_id", allow_null=True)
    state = serializers.ChoiceField(["open", "confirmed", "rejected"])
    at = IsoTime()
