"""The webhooks of the school. The office makes them."""

import base64
import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from standardwebhooks import Webhook as Signer

from core import errors
from core.database.unit_of_work import unit_of_work
from core.identity import Actor
from core.ids import parse_id
from core.sealing import seal, unseal
from core.times import now
from notices.models import Delivery, Webhook
from notices.posting import BadAddress, check_url, post

#: For so long nothing is tried twice at one that has failed, by the number of attempts, minutes; then the last again.
BACK_OFF = (1, 5, 30, 120, 300, 600)
_PURPOSE = "webhook"


def webhooks_listed() -> "QuerySet[Webhook]":
    return Webhook.objects.all()


def webhook_get(webhook_id: str) -> Webhook:
    """Raises `WebhookNotFound`."""
    key = parse_id(webhook_id)
    found = Webhook.objects.filter(pk=key).first() if key else None
    if found is None:
        raise errors.WebhookNotFound
    return found


@unit_of_work
def webhook_create(*, actor: Actor, url: str, events: Iterable[str]) -> tuple[Webhook, str]:
    """The webhook, and the key of its signatures, which is told here alone. Raises `InvalidSchema`."""
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    made = Webhook.objects.create(
        url=_checked(url),
        events=_joined(events),
        secret=seal(secret, purpose=_PURPOSE),
        made_by_id=actor.id,
        created_at=now(),
    )
    return made, secret


@unit_of_work
def webhook_change(*, webhook: Webhook, **fields: Any) -> Webhook:
    """Another `url`, other `events`, or `is_active`. What waits for one that is not active goes. `InvalidSchema`."""
    if "url" in fields:
        fields["url"] = _checked(fields["url"])
    if "events" in fields:
        fields["events"] = _joined(fields["events"])
    if fields:
        Webhook.objects.filter(pk=webhook.pk).update(**fields)
    if fields.get("is_active") is False:
        Delivery.objects.filter(webhook_id=webhook.pk).delete()
    return Webhook.objects.get(pk=webhook.pk)


@unit_of_work
def webhook_delete(*, webhook: Webhook) -> None:
    webhook.delete()


def deliver(webhook: Webhook, message_id: str, payload: object, moment: datetime) -> int:
    """Posts a signed message; the status of the answer. Raises what `post` raises, and `core.sealing.Unreadable`."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    signature = Signer(unseal(webhook.secret, purpose=_PURPOSE)).sign(message_id, moment, body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "live-attendance",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
    }
    return post(webhook.url, body.encode(), headers)


def _checked(url: str) -> str:
    try:
        check_url(url)
    except BadAddress as failure:
        raise errors.InvalidSchema({"url": [str(failure)]}) from None
    return url


def _joined(events: Iterable[str]) -> str:
    found: Sequence[str] = list(dict.fromkeys(events))
    return " ".join(found)
