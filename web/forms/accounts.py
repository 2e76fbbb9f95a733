"""Forms of accounts: signing in and up, and passwords."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.characters import says_something
from core.emails import valid_email
from core.identity import Role
from web.forms.base import Form, NewPassword, current_password

_LOGIN = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


class SignInForm(Form):
    login = forms.CharField(
        max_length=254, label=_("E-mail or roll number"), widget=forms.TextInput(attrs={**_LOGIN, "autofocus": True})
    )
    password = current_password()
    stay = forms.BooleanField(required=False, label=_("Keep me signed in on this device"))


class CardForm(Form):
    """What a card's QR says; a scanner types all of it."""

    code = forms.CharField(
        max_length=512,
        label=_("Card"),
        help_text=_("Scan the card with the device's camera, or with a scanner into this field."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
    )


class SignUpForm(Form):
    name = forms.CharField(
        max_length=255,
        label=_("Your name"),
        validators=[says_something],
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )
    email = forms.EmailField(
        max_length=254,
        label=_("E-mail"),
        validators=[valid_email],
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = NewPassword()
    role = forms.ChoiceField(
        label=_("I am"),
        choices=[(Role.TEACHER.value, _("a teacher")), (Role.STUDENT.value, _("a student"))],
        widget=forms.RadioSelect,
    )

    def offer_students_alone(self) -> None:
        """Where nobody becomes a teacher here."""
        role: Any = self.fields["role"]
        role.widget.choices = [(value, words) for value, words in role.choices if value == Role.STUDENT.value]


class ForgotForm(Form):
    login = forms.CharField(
        max_length=254, label=_("E-mail or roll number"), widget=forms.TextInput(attrs={**_LOGIN, "autofocus": True})
    )


class ResetForm(Form):
    login = forms.CharField(max_length=254, label=_("E-mail or roll number"), widget=forms.TextInput(attrs=_LOGIN))
    code = forms.CharField(
        max_length=16,
        label=_("Code from the mail"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    password = NewPassword(label=_("New password"))


class PasswordForm(Form):
    """Another password, for who knows the old one."""

    old = current_password(label=_("Present password"))
    new = NewPassword(label=_("New password"))


class NameForm(Form):
    name = forms.CharField(
        max_length=255,
        label=_("Your name"),
        validators=[says_something],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class CodeForm(Form):
    """The code of a mail that shows that the mailbox is the person's."""

    code = forms.CharField(
        max_length=16,
        label=_("Code from the mail"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
