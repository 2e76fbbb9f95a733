"""Forms of classes and their students."""

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms.base import Form

_LOGIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}


class ClassForm(Form):
    name = forms.CharField(max_length=255, label=_("Name of the class"))


class StudentForm(Form):
    """A student who has an account."""

    login = forms.CharField(max_length=254, label=_("E-mail or roll number"), widget=forms.TextInput(attrs=_LOGIN))


class TeacherForm(Form):
    """A teacher who is to teach a class as well."""

    email = forms.EmailField(max_length=254, label=_("E-mail"), widget=forms.EmailInput(attrs=_LOGIN))


class DaysForm(Form):
    """From which day to which a report reaches; both are included, and empty is without end."""

    since = forms.DateField(
        required=False, label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        required=False, label=_("To"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
