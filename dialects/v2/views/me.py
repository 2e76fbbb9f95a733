"""The person who asks."""

from typing import ClassVar

import msgspec
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.own_data import own_data
from accounts.selectors import user_get
from accounts.services import user_rename
from core.errors import TooManyRequests
from core.rest.permissions import Audience
from core.rest.rendered import tag_of
from dialects.v2.base import V2View
from dialects.v2.serializers.people import MeInput, OwnDataOutput, UserOutput


class Me(V2View):
    """`GET /api/v2/me`: who asks."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: UserOutput, 304: None}

    def get(self, request: Request) -> HttpResponseBase:
        user = user_get(self.actor.id)
        return self.tagged(lambda: Response(UserOutput.show(user)), tag_of(user.id, user.name))


class MeChange(V2View):
    """`PATCH /api/v2/me`: another name."""

    audience = Audience.SIGNED_IN
    body = MeInput
    answers: ClassVar = {200: UserOutput}

    def patch(self, request: Request) -> Response:
        body = self.read()
        user = user_get(self.actor.id)
        was_read = self.refuse_if_changed(tag_of(user.id, user.name))
        if "name" in body:
            user = user_rename(user_id=user.id, name=body["name"], seen=user.name if was_read else None)
        return Response(UserOutput.show(user), headers={"ETag": tag_of(user.id, user.name)})


class MyData(V2View):
    """`GET /api/v2/me/data`: everything that is stored of who asks, as a file."""

    heavy = True
    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: OwnDataOutput}
    raises = (TooManyRequests,)

    def get(self, request: Request) -> Response:
        data = msgspec.Raw(own_data(user_id=self.actor.id))
        headers = {"Content-Disposition": str(content_disposition_header(True, "my-data.json"))}
        return Response(data, headers={**headers, "Cache-Control": "no-store"})
