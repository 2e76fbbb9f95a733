"""Forms of classes and their students."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core.characters import says_something
from core.times import is_far
from web.forms.base import Form

_LOGIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class ClassForm(Form):
    name = forms.CharField(max_length=255, label=_("Name of the class"), validators=[says_something])


class StudentForm(Form):
    """A student who has an account."""

    login = forms.CharField(max_length=254, label=_("E-mail or roll number"), widget=forms.TextInput(attrs=_LOGIN))


class TeacherForm(Form):
    """A teacher who is to teach a class as well."""

    email = forms.EmailField(max_length=254, label=_("E-mail"), widget=forms.EmailInput(attrs=_LOGIN))


def near(day: date) -> None:
    """Refuses a day that is too far away for reports."""
    if is_far(day):
        raise ValidationError(_("Enter a valid date."))


class DaysForm(Form):
    """From which day to which a report reaches; both are included, and empty is without end."""

    since = forms.DateField(
        required=False,
        label=_("From"),
        validators=[near],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        required=False,
        label=_("To"),
        validators=[near],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
