"""Signing in, up and out, and forgotten passwords."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _

from accounts import credentials, school_provider, services
from accounts.console_mail import refuses_all
from accounts.devices import Device
from accounts.selectors import is_new
from core import errors
from core.identity import Role
from core.languages import language_asked
from core.rest.permissions import Audience
from web.forms.accounts import ForgotForm, ResetForm, SignInForm, SignUpForm
from web.views.page import Page

#: Who asks for it stays signed in for so long; others until the browser is closed, twelve hours at most.
STAY = timedelta(days=30)
#: The session's key that says that the school's provider, where the person signed in, has a sign-out of its own.
OFFERS_SIGN_OUT = "school_sign_out"

_BACKEND = "accounts.backends.PasswordBackend"


def sign_in(request: HttpRequest, user: Any, *, stay: bool = False) -> None:
    """Begins a session of these pages. What an earlier session held is gone."""
    logout(request)
    login(request, user, backend=_BACKEND)
    request.session.set_expiry(STAY if stay else 0)
    services.language_note(user_id=user.id, language=language_asked(request))


class SignIn(Page):
    """`/app/sign-in`."""

    audience = Audience.ANYONE
    slow = True

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.person is not None:
            return redirect(self.goal())
        return self._form(SignInForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SignInForm(request.POST)
        if not form.is_valid():
            return self._form(form)
        device = Device.of(request)
        try:
            user = services.sign_in(
                login=form.cleaned_data["login"].strip(),
                password=form.cleaned_data["password"],
                address=self.address,
                device=device,
            )
        except (errors.InvalidCredentials, errors.TooManyRequests) as refusal:
            self.refuse(form, refusal)
            return self._form(form)
        sign_in(request, user, stay=form.cleaned_data["stay"])
        response = redirect(self.goal())
        device.save_to(response, secure=request.is_secure())
        return response

    def _form(self, form: SignInForm) -> HttpResponse:
        may_sign_up = settings.SIGNUP in ("open", "students", "domains")
        content = {"form": form, "next": self.goal(), "may_sign_up": may_sign_up}
        if school_provider.is_offered():
            content |= {
                "school": settings.OIDC_NAME or _("my school's account"),
                "has_left": self.request.GET.get("left") == "school",
            }
        return self.show("sign_in.html", content)


class SignUp(Page):
    """`/app/sign-up`. Who may is the setting SIGNUP's to say."""

    audience = Audience.ANYONE
    slow = True

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.person is not None:
            return redirect(self.goal())
        role = Role.STUDENT if settings.SIGNUP == "students" else Role.TEACHER if is_new() else ""
        return self._form(SignUpForm(initial={"role": role}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SignUpForm(request.POST)
        if not form.is_valid():
            return self._form(form)
        try:
            user = services.user_signup(
                name=form.cleaned_data["name"],
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password"],
                role=Role(form.cleaned_data["role"]),
                address=self.address,
            )
        except errors.ApiError as refusal:
            of_email = isinstance(refusal, errors.EmailTaken | errors.SignupForSchoolOnly)
            self.refuse(form, refusal, "email" if of_email else None)
            return self._form(form)
        sign_in(request, user)
        messages.success(request, _("Welcome! You have an account now."))
        return redirect(self.goal())

    def _form(self, form: SignUpForm) -> HttpResponse:
        is_closed = settings.SIGNUP in ("invited", "closed")
        if settings.SIGNUP == "students":
            form.offer_students_alone()
        content = {"form": form, "next": self.goal(), "is_closed": is_closed, "is_new": is_new()}
        return self.show("sign_up.html", content)


class SignOut(Page):
    """`/app/sign-out`."""

    audience = Audience.ANYONE

    def post(self, request: HttpRequest) -> HttpResponse:
        also = bool(request.session.get(OFFERS_SIGN_OUT))
        logout(request)
        messages.success(request, _("You are signed out."))
        return redirect(f"{reverse('web:sign-in')}{'?left=school' if also else ''}")


class Forgot(Page):
    """`/app/forgot`: mails a code, to whoever has an account; nobody is told whether somebody has."""

    audience = Audience.ANYONE
    slow = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("forgot.html", {"form": ForgotForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ForgotForm(request.POST)
        if form.is_valid() and refuses_all():
            form.add_error(None, _("This server sends no mail. Ask your school's office for another password."))
        elif form.is_valid():
            asked = form.cleaned_data["login"].strip()
            try:
                credentials.password_forgot(login=asked, address=self.address)
            except errors.TooManyRequests as refusal:
                self.refuse(form, refusal)
            else:
                messages.info(request, _("If there is such an account, a code is on its way to its mailbox."))
                return redirect(f"{reverse('web:reset')}?{urlencode({'login': asked})}")
        return self.show("forgot.html", {"form": form})


class Reset(Page):
    """`/app/reset`: another password for whoever has the mailed code."""

    audience = Audience.ANYONE
    slow = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("reset.html", {"form": ResetForm(initial={"login": request.GET.get("login", "")})})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ResetForm(request.POST)
        if not form.is_valid():
            return self.show("reset.html", {"form": form})
        device = Device.of(request)
        try:
            credentials.password_reset(
                login=form.cleaned_data["login"].strip(),
                code=form.cleaned_data["code"].strip(),
                password=form.cleaned_data["password"],
                address=self.address,
                device=device,
            )
        except errors.ApiError as refusal:
            self.refuse(form, refusal, "code" if isinstance(refusal, errors.InvalidCode) else None)
            return self.show("reset.html", {"form": form})
        response = self.done(_("Your password is changed. Sign in with the new one."), "sign-in")
        device.save_to(response, secure=request.is_secure())
        return response


class Language(Page):
    """`/app/language`: the reader's language, in a cookie."""

    audience = Audience.ANYONE

    def post(self, request: HttpRequest) -> HttpResponse:
        code = request.POST.get("language", "")
        response = redirect(self._back())
        if code in dict(settings.LANGUAGES) and check_for_language(code):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                code,
                max_age=int(timedelta(days=400).total_seconds()),
                path=settings.LANGUAGE_COOKIE_PATH,
                secure=request.is_secure(),
                httponly=True,
                samesite="Lax",
            )
            if self.person is not None:
                services.language_note(user_id=self.person.id, language=code)
        return response

    def _back(self) -> str:
        """The page that the person came from."""
        came_from = self.request.headers.get("Referer", "")
        origin = f"{self.request.scheme}://{self.request.get_host()}"
        path = came_from.removeprefix(origin) if came_from.startswith(f"{origin}/app/") else ""
        return path or reverse("web:home")
