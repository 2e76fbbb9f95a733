"""Holidays of the school, which everybody may see and the office keeps."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from classes.holidays import holiday_add, holiday_get, holiday_remove, holidays_listed
from core.errors import HolidayNotFound
from core.rest.permissions import Audience
from dialects.v2.base import V2View
from dialects.v2.paging import page_of
from dialects.v2.serializers.holidays import HolidayInput, HolidayOutput


class HolidayList(V2View):
    """`GET /api/v2/holidays`: all of them, by day."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: page_of(HolidayOutput)}

    def get(self, request: Request) -> Response:
        return Response({"items": HolidayOutput.show_all(holidays_listed()), "next": None})


class HolidayAdd(V2View):
    """`POST /api/v2/holidays`: days on which there are no lessons; the same once more changes nothing."""

    audience = Audience.SUPERUSER
    body = HolidayInput
    answers: ClassVar = {201: HolidayOutput}

    def post(self, request: Request) -> Response:
        return Response(HolidayOutput.show(holiday_add(**self.read())), status=201)


class HolidayRemove(V2View):
    """`DELETE /api/v2/holidays/:id`: the days have their lessons again."""

    audience = Audience.SUPERUSER
    answers: ClassVar = {204: None}
    raises = (HolidayNotFound,)

    def delete(self, request: Request, holiday_id: str) -> Response:
        holiday_remove(holiday=holiday_get(holiday_id))
        return Response(status=204)
