"""The admin's site, with sign-in forms that count wrong passwords as all other sign-ins do."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts.credentials import account_named, password_is_right
from accounts.devices import Device
from core import errors
from core.times import in_words


class SaysHowLong:
    """Mixin for a form that says how long to wait, and keeps the refusal for the answer's status and headers."""

    refusal: errors.TooManyRequests | None = None

    def too_many(self, refusal: errors.TooManyRequests) -> ValidationError:
        self.refusal = refusal
        wait = in_words(refusal.retry_after)
        return ValidationError(f"Too many wrong passwords. Please try again in {wait}.", code=refusal.code)


class SignInForm(SaysHowLong, AdminAuthenticationForm):
    """The sign-in form, for staff."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except errors.TooManyRequests as refusal:
            raise self.too_many(refusal) from None


class OwnPasswordForm(SaysHowLong, AdminPasswordChangeForm):
    """The form with which a person who gives the old password sets another one."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        try:
            right = password_is_right(
                self.user,
                named=account_named(email=self.user.email),
                password=password,
                address=self.request.META.get("REMOTE_ADDR"),
                device=Device.of(self.request),
            )
        except errors.TooManyRequests as refusal:
            raise self.too_many(refusal) from None
        if not right:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password


class OwnPasswordView(PasswordChangeView):
    form_class = OwnPasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}


class AttendanceAdmin(AdminSite):
    """Django's admin, with this project's sign-in."""

    site_header = site_title = "Attendance"
    index_title = "Administration"
    login_form = SignInForm

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        device = Device.of(request)
        request.device = device  # type: ignore[attr-defined]  # for `accounts.backends`
        response = _with_wait(super().login(request, extra_context))
        device.save_to(response, secure=request.is_secure())
        return response

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        request.current_app = self.name
        view = OwnPasswordView.as_view(
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return _with_wait(view(request))

    #: Both hash a password, so they run on the threads for slow requests (`core.rest.routes.is_slow`).
    login.slow = password_change.slow = True  # type: ignore[attr-defined]


def _with_wait(response: HttpResponseBase) -> HttpResponseBase:
    """`response`, with the status and the header that tell programs how long to wait, if its form was refused."""
    form = (getattr(response, "context_data", None) or {}).get("form")
    refusal: errors.TooManyRequests | None = getattr(form, "refusal", None)
    if refusal is not None:
        response.status_code = refusal.status
        response["Retry-After"] = str(refusal.retry_after)
    return response
