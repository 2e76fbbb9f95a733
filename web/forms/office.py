"""Forms of the school's office."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.identity import Role
from web.forms.base import Form


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
