"""Signing in with the school's own accounts, and out of them."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.devices import Device
from accounts.school_accounts import school_sign_in
from accounts.school_provider import Asked, is_offered
from core import errors
from core.refusals import tell_refusal
from core.rest.permissions import Audience
from core.words import sentence_of
from web.views.accounts import OFFERS_SIGN_OUT, sign_in
from web.views.page import Page

#: What a browser has asked the provider for, until it is back. It goes nowhere but to these pages.
COOKIE = "attendance_school"
#: A person may take this long at the provider.
PATIENCE = timedelta(minutes=15)

_PATH = "/app/sign-in/school"
_SALT = "web.views.school"


class SchoolPage(Page):
    """A page of the provider's. Without a provider there is none."""

    audience = Audience.ANYONE
    heavy = True  # it waits for another server

    def check_access(self) -> None:
        if not is_offered():
            raise errors.NotFound

    def address_of(self, name: str) -> str:
        """The full address of the page `name`, which the provider knows."""
        path = reverse(f"web:{name}")
        return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else self.request.build_absolute_uri(path)

    def told(self, refusal: errors.ApiError, goal: str) -> HttpResponse:
        """The sign-in, which says what was wrong and where a password is good. The answer's code is in no address."""
        tell_refusal(refusal, account=None)
        messages.error(self.request, sentence_of(refusal, reader=self.person))
        return redirect(f"{reverse('web:sign-in')}?{urlencode({'next': goal})}")


class SchoolSignIn(SchoolPage):
    """`/app/sign-in/school`: leads to the provider. A link, because a form's answer may lead to no other site."""

    def get(self, request: HttpRequest) -> HttpResponse:
        from accounts import openid  # noqa: PLC0415  see accounts.school_provider

        if self.person is not None:
            return redirect(self.goal())
        try:
            url, asked = openid.ask(back=self.address_of("school-back"))
        except errors.SchoolSignInUnavailable as refusal:
            return self.told(refusal, self.goal())
        response = redirect(url)
        response.set_cookie(
            COOKIE,
            signing.dumps({"asked": asked.kept(), "goal": self.goal()}, salt=_SALT, compress=True),
            max_age=PATIENCE,
            path=_PATH,
            secure=request.is_secure() or settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",  # the provider's page leads back here
        )
        return response


class SchoolBack(SchoolPage):
    """`/app/sign-in/school/back`: where the provider sends the browser."""

    def get(self, request: HttpRequest) -> HttpResponse:
        response = self._back(request)
        response.delete_cookie(COOKIE, path=_PATH, samesite="Lax")  # good once
        return response

    def _back(self, request: HttpRequest) -> HttpResponse:
        from accounts import openid  # noqa: PLC0415  see accounts.school_provider

        goal, device = reverse("web:home"), Device.of(request)
        try:
            kept = _kept(request)
            goal = kept["goal"]
            user = school_sign_in(
                answer=request.GET.dict(),
                asked=Asked(**kept["asked"]),
                back=self.address_of("school-back"),
                address=self.address,
                device=device,
            )
        except (
            errors.SchoolSignInRefused,
            errors.SchoolSignInUnavailable,
            errors.SignupRefused,
            errors.TooManyRequests,
        ) as refusal:
            return self.told(refusal, goal)
        sign_in(request, user)
        request.session[OFFERS_SIGN_OUT] = openid.offers_sign_out()
        response = redirect(goal)
        device.save_to(response, secure=request.is_secure())
        return response


class SchoolSignOut(SchoolPage):
    """`/app/sign-out/school`: leads to the provider's own sign-out, which leads back to the sign-in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        from accounts import openid  # noqa: PLC0415  see accounts.school_provider

        home = reverse("web:sign-in")
        try:
            url = openid.sign_out_url(back=self.address_of("sign-in"))
        except errors.SchoolSignInUnavailable as refusal:
            return self.told(refusal, reverse("web:home"))
        if url is None:
            messages.info(request, _("Your school's sign-in has no sign-out of its own. Close the browser."))
        return redirect(url or home)


def _kept(request: HttpRequest) -> dict[str, Any]:
    """What this browser has asked for. `SchoolSignInStale` for one that has asked for nothing."""
    try:
        kept: dict[str, Any] = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=PATIENCE)
    except signing.BadSignature:
        raise errors.SchoolSignInStale from None
    return kept
