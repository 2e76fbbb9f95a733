"""The form of an absence that a student announces."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from attendance.excuses import Span
from core import errors
from core.times import local_instant
from web.forms.classes import DaysForm

_TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class ExcuseForm(DaysForm):
    """Whole days, or with both times from one instant to another, for one class or for all."""

    field_order = ("class_id", "since", "since_at", "until", "until_at", "note")

    class_id = forms.ChoiceField(required=False, label=_("Class"))
    since_at = forms.TimeField(required=False, label=_("From, time"), widget=_TIME)
    until_at = forms.TimeField(
        required=False, label=_("To, time"), widget=_TIME, help_text=_("Leave both times empty for whole days.")
    )
    note = forms.CharField(max_length=255, label=_("Why"), help_text=_("Your teachers read it. Keep it short."))

    def __init__(self, *args: Any, classes: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        """`classes`: the id and the name of each class that the student is in."""
        super().__init__(*args, **kwargs)
        self.has_classes = bool(classes)
        self.fields["class_id"].choices = [("", _("All my classes")), *classes]  # type: ignore[attr-defined]
        for name in ("since", "until"):
            self.fields[name].required = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since_at, until_at = cleaned.get("since_at"), cleaned.get("until_at")
        if "since_at" in cleaned and "until_at" in cleaned and (since_at is None) != (until_at is None):
            self.add_error("until_at", _("Say both times, or none."))
        if not self.errors:
            try:
                self.span().check()
            except errors.InvalidSchema:
                said = _("The end has to be after the beginning, not be over, and be within a year of it.")
                self.add_error("until", said)
        return cleaned

    def span(self) -> Span:
        """What the filled-in form says."""
        said = self.cleaned_data
        days: tuple[Any, Any] = said["since"], said["until"]
        if said["since_at"] is None:
            return Span(*days)
        since: datetime = local_instant(days[0], said["since_at"])
        return Span(since, local_instant(days[1], said["until_at"]))
