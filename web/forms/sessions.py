"""Forms of a lesson's record."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.characters import says_something
from web.forms.base import Form
from web.statuses import ORDER, WORDS


class CorrectionForm(Form):
    status = forms.ChoiceField(
        label=_("Status"), choices=[(status.value, WORDS[status]) for status in ORDER], widget=forms.RadioSelect
    )
    note = forms.CharField(
        max_length=255,
        label=_("Why"),
        help_text=_("It stands in the record's history."),
        validators=[says_something],
    )
