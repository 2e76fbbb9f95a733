"""The person who is signed in: their account, and what is recorded of a student."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from accounts import credentials, mail, proofs, tokens
from accounts.devices import Device
from accounts.own_data import own_data
from accounts.selectors import user_get
from accounts.services import user_rename
from attendance.selectors import devices_of
from core import errors
from core.identity import Role
from core.rest.permissions import Audience
from web.forms.accounts import CodeForm, NameForm, PasswordForm
from web.views.page import Page


class Mine(Page):
    audience = Audience.SIGNED_IN
    section = "me"

    def page(
        self, form: PasswordForm | None = None, code: CodeForm | None = None, name: NameForm | None = None
    ) -> HttpResponse:
        content: dict[str, Any] = {
            "account": user_get(self.actor.id),
            "form": form or PasswordForm(),
            "code_form": code,
            "name_form": name or NameForm(initial={"name": self.actor.name}),
        }
        return self.show("me.html", content)


class Me(Mine):
    """`/app/me/`: the account."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page()

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NameForm(request.POST)
        if not form.is_valid():
            return self.page(name=form)
        user_rename(user_id=self.actor.id, name=form.cleaned_data["name"])
        return self.done(_("You have your new name."), "me")


class MyData(Mine):
    """`/app/me/data`: what is stored of the person, and the devices with which a student has checked in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        devices = None
        if self.actor.role == Role.STUDENT:
            this = Device.of(request).known_id
            devices = [(device, device.key == this) for device in devices_of(self.actor.id)]
        return self.show("me_data.html", {"devices": devices})


class MyDataFile(Mine):
    """`/app/me/data/file`: all of it, as a file."""

    heavy = True

    def get(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(own_data(user_id=self.actor.id), content_type="application/json; charset=utf-8")
        response["Content-Disposition"] = str(content_disposition_header(True, "my-data.json"))
        return response


class Password(Mine):
    """`/app/me/password`: another password. Every other session and every token of the person's ends."""

    slow = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("web:me")

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PasswordForm(request.POST)
        if not form.is_valid():
            return self.page(form)
        device = Device.of(request)
        try:
            credentials.own_password_change(
                actor=self.actor,
                old=form.cleaned_data["old"],
                new=form.cleaned_data["new"],
                address=self.address,
                device=device,
            )
        except (errors.InvalidPassword, errors.TooManyRequests) as refusal:
            self.refuse(form, refusal, "old")
            return self.page(form)
        update_session_auth_hash(request, user_get(self.actor.id))
        said = _("Your password is changed. Wherever else you were signed in, you are not any more.")
        response = self.done(said, "me")
        device.save_to(response, secure=request.is_secure())
        return response


class Everywhere(Mine):
    """`/app/me/sign-out-everywhere`: no session and no token of the person's is good any more, but this one."""

    def post(self, request: HttpRequest) -> HttpResponse:
        tokens.void_all(self.actor.id)
        update_session_auth_hash(request, user_get(self.actor.id))
        return self.done(_("You are signed out everywhere else."), "my-data")


class ProofCode(Mine):
    """`/app/me/confirm/code`: mails a code to the person's mailbox."""

    slow = True

    def post(self, request: HttpRequest) -> HttpResponse:
        if mail.has_failed(proofs.proof_begin(user_id=self.actor.id, address=self.address)):
            messages.error(request, _("The mail could not be sent. Ask your school's office."))
            return redirect("web:me")
        messages.info(request, _("A code is on its way to your mailbox."))
        return redirect("web:confirm")


class Proof(Mine):
    """`/app/me/confirm`: shows by the mailed code that the mailbox is the person's."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(code=CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request.POST)
        if form.is_valid():
            try:
                proofs.proof_finish(user_id=self.actor.id, code=form.cleaned_data["code"].strip(), address=self.address)
            except (errors.InvalidCode, errors.TooManyRequests) as refusal:
                self.refuse(form, refusal, "code")
            else:
                return self.done(_("Your address is confirmed."), "me")
        return self.page(code=form)
