"""Forms of classes and their students."""

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms.base import Form


class ClassForm(Form):
    name = forms.CharField(
        max_length=255, label=_("Name of the class"), widget=forms.TextInput(attrs={"autofocus": True})
    )


class StudentForm(Form):
    """A student who has an account."""

    login = forms.CharField(
        max_length=254,
        label=_("E-mail or roll number"),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )


class RemovalForm(Form):
    """The name of what is removed, written once more."""

    name = forms.CharField(max_length=255, label=_("Write its name to remove it"))
