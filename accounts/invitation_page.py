"""The page that an invitation's link opens: a form to sign up with. It needs no script, cookie or session.

Whoever has the link may use the page, so no other site can do more with it by a forged form. The link is a secret:
nothing keeps the page, and no address that the page leads to is told where it came from.
"""

from typing import Any, cast

from django import forms
from django.http import HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.utils import timezone
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request

from accounts.invitations import invitation_accept, invitation_find
from accounts.passwords import refuse_weak
from core import errors
from core.characters import says_something
from core.emails import valid_email
from core.rest.permissions import Audience
from core.rest.views import ApiView

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
}


class SignupForm(forms.Form):
    """Who accepts an invitation. The address is fixed where the invitation names one."""

    name = forms.CharField(max_length=255, label="Your name", validators=[says_something])
    email = forms.EmailField(max_length=254, label="Your e-mail address", validators=[valid_email])
    password = forms.CharField(
        min_length=8,
        label="A password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 8 characters.",
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        try:
            refuse_weak(password)
        except errors.WeakPassword as weak:
            raise forms.ValidationError(str(weak)) from None
        return password


class Invited(ApiView):
    """A page for people: what goes wrong is said as a page, too."""

    audience = Audience.ANYONE
    schema = None

    def handle_exception(self, failure: Exception) -> Any:
        if not isinstance(failure, errors.ApiError):
            return super().handle_exception(failure)
        response = page("gone.html", {"error": failure.message}, status=failure.status)
        if isinstance(failure, errors.TooManyRequests):
            response["Retry-After"] = str(failure.retry_after)
        return response


class InvitationPage(Invited):
    """`GET /invitation/:secret`: the form of a good invitation."""

    def get(self, request: Request, secret: str) -> HttpResponse:
        invitation = invitation_find(secret=secret, address=self.address)
        return form_page(secret, SignupForm(initial={"email": invitation.email}))


class InvitationAccept(Invited):
    """`POST /invitation/:secret/accept`: signs up with the form's fields."""

    parser_classes = (FormParser, MultiPartParser)
    slow = True

    def post(self, request: Request, secret: str) -> HttpResponse:
        invitation_find(secret=secret, address=self.address)
        form = SignupForm(cast(QueryDict, request.data))
        if not form.is_valid():
            return form_page(secret, form, status=400)
        try:
            user = invitation_accept(secret=secret, address=self.address, **form.cleaned_data)
        except errors.EmailTaken:
            form.add_error("email", "Somebody has an account with this address already.")
        except errors.InvalidInvitation:
            form.add_error("email", "The invitation is for another address.")
        else:
            return page("done.html", {"email": user.email, "role": user.role}, status=201)
        return form_page(secret, form, status=400)


def form_page(secret: str, form: SignupForm, status: int = 200) -> HttpResponse:
    invitation = invitation_find(secret=secret)
    form.fields["email"].widget.attrs["readonly"] = bool(invitation.email)
    content = {
        "form": form,
        "action": f"/invitation/{secret}/accept",
        "role": invitation.role,
        "until": timezone.localtime(invitation.expires_at),
    }
    return page("form.html", content, status=status)


def page(template: str, content: dict[str, Any], *, status: int) -> HttpResponse:
    return HttpResponse(render_to_string(f"accounts/invitation/{template}", content), status=status, headers=_HEADERS)
