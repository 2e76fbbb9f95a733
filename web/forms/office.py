"""Forms of the school's office."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from classes.oneroster import school_year
from core.characters import says_something
from core.identity import Role
from core.times import today
from web.forms.base import Form
from web.forms.classes import DaysForm


class FindForm(Form):
    text = forms.CharField(
        required=False,
        max_length=255,
        label=_("Name, e-mail or roll number"),
        widget=forms.TextInput(attrs={"type": "search"}),
    )


class InvitationForm(Form):
    role = forms.ChoiceField(
        label=_("The invitation is for"),
        choices=[(Role.TEACHER.value, _("a teacher")), (Role.STUDENT.value, _("a student"))],
        widget=forms.RadioSelect,
    )
    email = forms.EmailField(
        required=False,
        max_length=254,
        label=_("E-mail"),
        help_text=_("It is mailed to this address. Without one you get a link to hand over."),
    )


class OneRosterForm(DaysForm):
    """What an export says of the school. The days are the school year's, both included."""

    school = forms.CharField(max_length=255, label=_("The school's name"), validators=[says_something])

    field_order = ("school", "since", "until")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = school_year(today())
        cleaned["since"], cleaned["until"] = cleaned.get("since") or first, cleaned.get("until") or last
        if cleaned["since"] > cleaned["until"]:
            self.add_error("until", _("The last day is before the first."))
        return cleaned
