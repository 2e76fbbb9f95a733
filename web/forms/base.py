"""The base of every form: how a field is drawn, and fields that several forms have."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.passwords import weaknesses
from core import errors
from core.words import sentence_of


class Form(forms.Form):
    """A form whose fields stand one below another, each with what is wrong beside it."""

    template_name = "web/forms/form.html"
    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class NewPassword(forms.CharField):
    """A password that is chosen."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password", "minlength": 8})
        kwargs = {"label": _("Password"), "help_text": _("At least 8 characters."), **kwargs}
        super().__init__(strip=False, max_length=1024, widget=widget, **kwargs)

    def clean(self, value: Any) -> Any:
        password = super().clean(value)
        if password and weaknesses(password):
            raise forms.ValidationError(sentence_of(errors.WeakPassword(), reader=None), code="weak")
        return password


def current_password(**kwargs: Any) -> forms.CharField:
    """A password that the person has."""
    widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
    return forms.CharField(strip=False, max_length=1024, widget=widget, **{"label": _("Password"), **kwargs})
