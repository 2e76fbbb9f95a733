"""A page of the admin that is saved late undoes nothing that others have saved since it was opened.

A page carries what it showed. When it is saved, a field that its person left alone keeps what the database has by now.
A field that both have changed, to different values, is refused; the page says who changed it, and when. To save the
page once more replaces the others' value: then its person has seen it.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format

from core.times import now

#: The name of the field that carries what a page showed.
AS_SHOWN = "as_shown"


class Change(NamedTuple):
    """Who changed an object, and when."""

    by: str
    at: datetime


#: Who changed a field (by its label) of an object last, not before an instant; None if nobody knows.
WhoChanged = Callable[[Model, str, datetime], Change | None]


class _AsShown(forms.CharField):
    """Shows the object as it is now, also on a page that comes back with errors."""

    widget = forms.HiddenInput

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class LateForm(forms.Form):
    """Mixin for a model's form; see `late_form`."""

    #: A `WhoChanged`, set by `late_form`.
    who_changed: ClassVar[Any]
    instance: Model
    data: QueryDict

    as_shown = _AsShown(required=False, label="")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: The fields that this person and others have changed, and since when others may have.
        self._both: list[tuple[str, datetime]] = []
        if self.instance.pk is None:
            del self.fields[AS_SHOWN]
            return
        values = self._values()
        shown = {"of": str(self.instance.pk), "at": now().timestamp(), "values": values}
        self.initial[AS_SHOWN] = signing.dumps(shown, salt=__name__, compress=True)
        if self.is_bound:
            self._merge(values)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name, since in self._both:
            self.add_error(name, ValidationError(self._words(name, since), code="changed_meanwhile"))
        return cleaned

    def _values(self) -> dict[str, Any]:
        """What the database has for each field, as JSON has it."""
        values = {}
        for name, field in self.fields.items():
            if name in self.initial and name != AS_SHOWN and not field.disabled:
                value = field.prepare_value(self.initial[name])
                values[name] = sorted(map(str, value)) if isinstance(value, list) else value
        return dict(json.loads(json.dumps(values, cls=DjangoJSONEncoder)))

    def _merge(self, values: dict[str, Any]) -> None:
        try:
            shown = signing.loads(self.data.get(self.add_prefix(AS_SHOWN), ""), salt=__name__)
        except signing.BadSignature:
            return
        if shown["of"] != str(self.instance.pk):
            return
        for name, value in values.items():
            before = shown["values"].get(name)
            if before == value:
                continue
            field = self.fields[name]
            posted = field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            if not _differs(field, before, posted):
                self._keep(name, value)
            elif _differs(field, value, posted):
                self._both.append((name, datetime.fromtimestamp(shown["at"], tz=timezone.get_current_timezone())))

    def _keep(self, name: str, value: Any) -> None:
        """Answers for the person, who left the field alone, what the database has."""
        data, key = self.data.copy(), self.add_prefix(name)
        data.pop(key, None)
        if isinstance(value, list):
            data.setlist(key, value)
        elif not isinstance(self.fields[name].widget, forms.CheckboxInput):
            data[key] = "" if value is None else value
        elif value:
            data[key] = "on"
        self.data = data

    def _words(self, name: str, since: datetime) -> str:
        field = self.fields[name]
        change: Change | None = self.who_changed(self.instance, str(field.label), since)
        who = change.by if change is not None else "Somebody else"
        when = f" at {date_format(timezone.localtime(change.at), 'H:i')}" if change is not None else ""
        return (
            f"{who} changed this{when}, after you opened the page, to: {self._shown(name)}. Save again to replace it."
        )

    def _shown(self, name: str) -> str:
        value = getattr(self.instance, name)
        display = getattr(self.instance, f"get_{name}_display", None)
        if display is not None:
            return str(display())
        return ", ".join(map(str, value.all())) if hasattr(value, "all") else str(value)


def _differs(field: forms.Field, value: Any, posted: Any) -> bool:
    """Whether `posted` is another value of the field than `value`, which is as JSON has it."""
    if isinstance(field, forms.fields.BaseTemporalField):
        value = field.to_python(value)
    return field.has_changed(value, posted)


def late_form(form: type[Any], who_changed: WhoChanged) -> type[Any]:
    """`form`, the form of a model, as one whose late saves undo nothing."""
    return type(form.__name__, (LateForm, form), {"who_changed": staticmethod(who_changed)})
