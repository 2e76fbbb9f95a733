"""Forms of timetables and holidays."""

from datetime import date
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from classes.timetables import WeeklyLesson
from core.times import is_far
from web.forms.base import Form
from web.forms.classes import near
from web.forms.imports import FileForm


def day_field(label: Any, **options: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, validators=[near], widget=widget, **options)


def time_field(label: Any) -> forms.TimeField:
    return forms.TimeField(label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))


class DayList(forms.CharField):
    """Days as a person types them: `2025-03-10 2025-04-21`."""

    def clean(self, value: Any) -> Any:
        try:
            days = [date.fromisoformat(word) for word in super().clean(value).replace(",", " ").split()]
        except ValueError:
            raise forms.ValidationError(_("Enter a valid date.")) from None
        if any(map(is_far, days)):
            raise forms.ValidationError(_("Enter a valid date."))
        return tuple(sorted(set(days)))


class SlotForm(Form):
    """A weekly lesson."""

    weekday = forms.TypedChoiceField(
        label=_("Day"), coerce=int, choices=[(number + 1, name) for number, name in WEEKDAYS.items()]
    )
    start = time_field(_("Begins"))
    end = time_field(_("Ends"))
    room = forms.CharField(required=False, max_length=64, label=_("Room"))
    since = day_field(_("First day"), required=False)
    until = day_field(_("Last day"), required=False)
    left_out = DayList(
        required=False,
        max_length=4000,
        label=_("Not on"),
        help_text=_("Days without it, such as 2025-03-10 2025-04-21."),
    )

    @classmethod
    def of(cls, slot: WeeklyLesson) -> "SlotForm":
        names = ("weekday", "start", "end", "room", "since", "until")
        days = " ".join(map(str, slot.left_out))
        return cls(initial={name: getattr(slot, name) for name in names} | {"left_out": days})

    @property
    def slot(self) -> WeeklyLesson:
        """The lesson of a valid form."""
        at = {name: self.cleaned_data[name].replace(second=0, microsecond=0) for name in ("start", "end")}
        return WeeklyLesson(**{**self.cleaned_data, **at})


class CalendarForm(FileForm):
    """A calendar file."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].widget.attrs["accept"] = ".ics,text/calendar"


class TermForm(CalendarForm):
    """A calendar file, and the days of it that are taken."""

    since = day_field(_("First day"), required=False)
    until = day_field(
        _("Last day"),
        required=False,
        help_text=_("What has no end in the calendar is taken until then, or for a year."),
    )


class HolidayForm(Form):
    name = forms.CharField(max_length=255, label=_("Name"))
    since = day_field(_("First day"))
    until = day_field(_("Last day"))
