"""The school's office: people, and what leads on to the rest."""

from django.http import HttpRequest, HttpResponse

from core.rest.permissions import Audience
from web.views.page import Page


class Office(Page):
    """`/app/office/`."""

    audience = Audience.SUPERUSER
    section = "office"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("office.html")
