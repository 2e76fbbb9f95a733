"""The admin's site: sign-in forms that count wrong passwords as all other sign-ins do, and the second factor's page."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from accounts import second_factor
from accounts.admin_sessions import another_sign_in, session_is_over
from accounts.credentials import account_named, password_is_right
from accounts.devices import Device
from accounts.models import User
from core import errors
from core.sealing import Unreadable
from core.times import in_words

#: What a session knows: that a code was right, and the sealed secret of an app that no code has confirmed yet.
_PASSED, _SECRET = "second factor passed", "second factor secret"


class SaysHowLong:
    """Mixin for a form that says how long to wait, and keeps the refusal for the answer's status and headers."""

    refusal: errors.TooManyRequests | None = None
    too_many_of = "Too many wrong passwords."

    def too_many(self, refusal: errors.TooManyRequests) -> ValidationError:
        self.refusal = refusal
        wait = in_words(refusal.retry_after)
        return ValidationError(f"{self.too_many_of} Please try again in {wait}.", code=refusal.code)


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


class CodeForm(SaysHowLong, forms.Form):
    """A code of the authenticator app, or a recovery code."""

    too_many_of = "Too many wrong codes."

    code = forms.CharField(
        max_length=32,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "inputmode": "text"}),
    )


class PickerView(AutocompleteJsonView):
    """What a field offers while somebody types. PostgreSQL takes no NUL, which the lists' form of a search refuses."""

    def process_request(self, request: HttpRequest) -> Any:
        term, *others = super().process_request(request)
        return (term.replace("\0", ""), *others)


class AttendanceAdmin(AdminSite):
    """Django's admin, with this project's sign-in, a second factor, and sessions that end by themselves."""

    site_header = site_title = "Attendance"
    index_title = "Administration"
    site_url = "/app/"
    login_form = SignInForm

    def get_urls(self) -> list[Any]:
        return [path("second-factor/", self.second_factor, name="second-factor"), *super().get_urls()]

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return PickerView.as_view(admin_site=self)(request)

    def has_permission(self, request: HttpRequest) -> bool:
        return self._is_signed_in(request) and (
            request.session.get(_PASSED, False)
            or not (settings.ADMIN_SECOND_FACTOR or second_factor.is_set_up(cast(User, request.user)))
        )

    def _is_signed_in(self, request: HttpRequest) -> bool:
        """Whether somebody on the staff has given the password, not too long ago."""
        if not super().has_permission(request):
            return False
        if session_is_over(request):
            messages.info(request, "You were signed out, because the sign-in has lasted long or was not used.")
            return False
        return True

    @method_decorator(never_cache)
    def second_factor(self, request: HttpRequest) -> Any:
        """The page that asks for a code, after the password; of who has none, the page that sets it up."""
        login = reverse("admin:login", current_app=self.name)
        if not self._is_signed_in(request):
            return redirect_to_login(request.get_full_path(), login)
        user = cast(User, request.user)
        goal = self._goal(request)
        form = CodeForm(request.POST or None)
        is_set_up = second_factor.is_set_up(user)
        if is_set_up and request.session.get(_PASSED):
            messages.info(request, "You have a second factor.")
            return HttpResponseRedirect(goal)
        context: dict[str, Any] = {"form": form, "next": goal, "required": settings.ADMIN_SECOND_FACTOR}
        if request.method == "POST" and form.is_valid():
            done = self._take_code(request, user, form, is_set_up)
            if done is True:
                return HttpResponseRedirect(goal)
            if done:
                context["recovery_codes"] = done
        if not is_set_up and "recovery_codes" not in context:
            context["setup"] = _setup(request, user)
        request.current_app = self.name
        context = {**self.each_context(request), "title": "Second factor", **context}
        return _with_wait(TemplateResponse(request, "admin/second_factor.html", context))

    def _take_code(self, request: HttpRequest, user: User, form: CodeForm, is_set_up: bool) -> bool | list[str]:
        """True for a right code, or the recovery codes of an app that it has just set up; False for a wrong one."""
        code = form.cleaned_data["code"]
        done: bool | list[str] | None = None
        try:
            if is_set_up:
                done = second_factor.check(user, code, address=request.META.get("REMOTE_ADDR"))
            elif _SECRET in request.session:
                done = second_factor.confirm(user, request.session[_SECRET], code)
        except errors.TooManyRequests as refusal:
            form.add_error("code", form.too_many(refusal))
            return False
        if not done:
            form.add_error("code", "This code is not right. A new one is shown every 30 seconds.")
            return False
        request.session.pop(_SECRET, None)
        request.session.cycle_key()
        request.session[_PASSED] = True
        return done

    def _goal(self, request: HttpRequest) -> str:
        """Where the page leads to: inside this site alone."""
        goal = request.POST.get("next") or request.GET.get("next") or ""
        hosts = {request.get_host()}
        if url_has_allowed_host_and_scheme(goal, allowed_hosts=hosts, require_https=request.is_secure()):
            return goal
        return reverse("admin:index", current_app=self.name)

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if request.method == "GET" and self._is_signed_in(request) and not self.has_permission(request):
            return redirect_to_login(self._goal(request), reverse("admin:second-factor", current_app=self.name))
        device = Device.of(request)
        request.device = device  # type: ignore[attr-defined]  # for `accounts.backends`
        with another_sign_in(request):
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


def _setup(request: HttpRequest, user: User) -> second_factor.Setup:
    """How to set up the app that this session has begun with, or else one with a new secret."""
    try:
        return second_factor.setup(user, request.session[_SECRET])
    except (KeyError, Unreadable):
        request.session[_SECRET] = second_factor.make_secret()
    return second_factor.setup(user, request.session[_SECRET])
