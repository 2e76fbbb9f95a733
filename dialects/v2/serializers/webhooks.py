"""Webhooks."""

from typing import Any

from rest_framework import serializers

from core.rest.serializers import Id, InputSerializer, IsoTime, OutputSerializer, StrictChoice, StrictFlag, StrictString

EVENTS = ["session.ended", "threshold.crossed", "absent.consecutive"]


def _url(**options: Any) -> StrictString:
    return StrictString(max_length=2000, help_text="Begins with https://.", **options)


def _events(**options: Any) -> serializers.ListField:
    return serializers.ListField(child=StrictChoice(EVENTS), min_length=1, max_length=len(EVENTS), **options)


class WebhookInput(InputSerializer):
    url = _url()
    events = _events()


class WebhookChangeInput(InputSerializer):
    url = _url(required=False)
    events = _events(required=False)
    active = StrictFlag(required=False, source="is_active")


class WebhookOutput(OutputSerializer):
    """`{_id, url, events, active, createdAt, toldAt, failedAt, failure}`; the last three say how the last ones went."""

    _id = Id(source="id")
    url = serializers.CharField()
    events = serializers.SerializerMethodField()
    active = serializers.BooleanField(source="is_active")
    createdAt = IsoTime(source="created_at")
    toldAt = IsoTime(source="told_at", allow_null=True)
    failedAt = IsoTime(source="failed_at", allow_null=True)
    failure = serializers.CharField()

    def get_events(self, webhook: Any) -> list[str]:
        return list(webhook.events.split())


class WebhookMadeOutput(WebhookOutput):
    """The same with `secret`, the key of the signatures. No other answer has it."""

    secret = serializers.CharField()
