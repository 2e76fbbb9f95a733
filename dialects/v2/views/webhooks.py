"""Webhooks of the school, which the office makes."""

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import WebhookNotFound
from core.rest.permissions import Audience
from core.rest.rendered import tag_of
from dialects.v2.base import V2View
from dialects.v2.paging import FILTERS, page_of
from dialects.v2.serializers.webhooks import WebhookChangeInput, WebhookInput, WebhookMadeOutput, WebhookOutput
from notices.webhooks import webhook_change, webhook_create, webhook_delete, webhook_get, webhooks_listed


def tag(webhook: Any) -> str:
    """The `ETag` of what a PATCH changes."""
    return tag_of(webhook.id, webhook.url, webhook.events, str(webhook.is_active))


class WebhookList(V2View):
    """`GET /api/v2/webhooks`: all of them."""

    audience = Audience.SUPERUSER
    filters: ClassVar = FILTERS
    answers: ClassVar = {200: page_of(WebhookOutput)}

    def get(self, request: Request) -> Response:
        return self.page(webhooks_listed(), WebhookOutput.show_all)


class WebhookCreate(V2View):
    """`POST /api/v2/webhooks`: a new one. The answer has its `secret`, which no other answer has."""

    audience = Audience.SUPERUSER
    body = WebhookInput
    answers: ClassVar = {201: WebhookMadeOutput}
    keeps_answer = False

    def post(self, request: Request) -> Response:
        made, secret = webhook_create(actor=self.actor, **self.read())
        made.secret = secret
        return Response(WebhookMadeOutput.show(made), status=201, headers={"ETag": tag(made)})


class WebhookDetail(V2View):
    """`GET /api/v2/webhooks/:id`: one of them."""

    audience = Audience.SUPERUSER
    answers: ClassVar = {200: WebhookOutput, 304: None}
    raises = (WebhookNotFound,)

    def get(self, request: Request, webhook_id: str) -> HttpResponseBase:
        found = webhook_get(webhook_id)
        return self.tagged(lambda: Response(WebhookOutput.show(found)), tag(found))


class WebhookChange(V2View):
    """`PATCH /api/v2/webhooks/:id`: another address, other events, or whether it is told at all."""

    audience = Audience.SUPERUSER
    body = WebhookChangeInput
    answers: ClassVar = {200: WebhookOutput}
    raises = (WebhookNotFound,)

    def patch(self, request: Request, webhook_id: str) -> Response:
        body = self.read()
        found = webhook_get(webhook_id)
        self.refuse_if_changed(tag(found))
        changed = webhook_change(webhook=found, **body)
        return Response(WebhookOutput.show(changed), headers={"ETag": tag(changed)})


class WebhookDelete(V2View):
    """`DELETE /api/v2/webhooks/:id`: it is told no more."""

    audience = Audience.SUPERUSER
    answers: ClassVar = {204: None}
    raises = (WebhookNotFound,)

    def delete(self, request: Request, webhook_id: str) -> Response:
        webhook_delete(webhook=webhook_get(webhook_id))
        return Response(status=204)
