"""How a device comes to trust a server on the school's own network, and stops to."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from core import errors, lan
from core.lan import Lan
from core.qr_codes import qr_svg
from core.rest.permissions import Audience
from web.views.page import Page


class OnLan(Page):
    """A page that is there where the server is on the network by itself (`serve --lan`)."""

    audience = Audience.ANYONE

    def check_access(self) -> None:
        """Raises `NotFound` elsewhere."""
        here = lan.here()
        if here is None:
            raise errors.NotFound
        self.lan: Lan = here


class Trust(OnLan):
    """`/app/trust`: the certificate, its fingerprint, and what to do with it on each kind of device.

    It stands at the port for plain HTTP too, where nothing can be sent: another language is a link, and nothing is a
    form or sets a cookie.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = request.GET.get("language", "")
        with translation.override(asked if asked in dict(settings.LANGUAGES) else translation.get_language()):
            return self.show("trust.html", {"lan": self.lan, "qr": qr_svg(self.lan.trust_url, scale=None)})


class TrustFile(OnLan):
    """`/app/trust/certificate`: the certificate of the authority, as devices take it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(self.lan.der, content_type="application/x-x509-ca-cert")
        response["Content-Disposition"] = 'attachment; filename="attendance.crt"'
        return response
