"""Forms of what a class's teachers choose for it, each of some columns of the class."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from attendance.check_in import FARTHEST, Answer, CheckInOptions, Circle, Mode
from attendance.class_settings import check_in_defaults, packed_defaults, packed_order, tap_order
from attendance.enums import Status
from core.rest.rendered import tag_of
from web.forms.base import Form
from web.forms.places import PlaceField, place_written
from web.statuses import ORDER, WORDS

#: What a page offers first where nobody chose.
USUAL = CheckInOptions(Mode.ROTATING, outside=Answer.FLAG, same_device=Answer.FLAG)
#: Metres around a place: across a school's yard.
NEAR = 100

MODES = [(Mode.ROTATING.value, _("changes every 15 seconds")), (Mode.FIXED.value, _("stays the same"))]
ANSWERS = [(Answer.FLAG.value, _("counts, and I am asked")), (Answer.REFUSE.value, _("is refused"))]


class SettingsForm(Form):
    """`of` makes it from a class, `changes` are the columns of a valid one."""

    columns: ClassVar[tuple[str, ...]]
    #: Whether fields are so short that a phone has two side by side.
    is_short: ClassVar[bool] = False
    #: A tag of what the form was made from: who else changed it meanwhile is not overruled.
    seen = ""

    @classmethod
    def of(cls, found: Any, data: Any = None) -> "SettingsForm":
        form = cls(data, initial=cls.shown(found))
        form.seen = tag_of(*(str(getattr(found, name)) for name in cls.columns))
        return form

    @classmethod
    def shown(cls, found: Any) -> dict[str, Any]:
        """The values of the fields, as the class has them."""
        return {name: getattr(found, name) for name in cls.columns}

    @property
    def changes(self) -> dict[str, Any]:
        return self.cleaned_data

    def tell_stored(self) -> None:
        """Says beside each field that differs what the class has by now."""
        for name in self.changed_data:
            field, stored = self.fields[name], self.initial.get(name)
            words = dict(getattr(field, "choices", ())).get(stored, stored)
            if isinstance(field, forms.BooleanField):
                words = _("yes") if stored else _("no")
            elif words in ("", None):
                words = "–"
            self.add_error(name, _("By now it is: %s. Save once more to have yours.") % words)


class BoardForm(SettingsForm):
    """What taps on the board mark, one after the other."""

    columns = ("tap_order",)
    is_short = True
    template_name = "web/forms/side_by_side.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = (_("First tap"), _("Second tap"), _("Third tap"), _("Fourth tap"))
        statuses = [(status.value, WORDS[status]) for status in ORDER]
        for number, label in enumerate(labels):
            choices = statuses if number == 0 else [("", _("from the start")), *statuses]
            self.fields[f"tap{number + 1}"] = forms.ChoiceField(label=label, choices=choices, required=number == 0)

    @classmethod
    def shown(cls, found: Any) -> dict[str, Any]:
        return {f"tap{number + 1}": status.value for number, status in enumerate(tap_order(found))}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        seen: set[str] = set()
        for name, status in list(data.items()):
            if status and status in seen:
                self.add_error(name, _("This status has a tap already."))
            seen.add(status)
        return data

    @property
    def changes(self) -> dict[str, Any]:
        return {"tap_order": packed_order([Status(status) for status in self.cleaned_data.values() if status])}


class CheckInForm(SettingsForm):
    """How students mark themselves where who opens the check-in says nothing else."""

    columns = ("check_in", "late_after_minutes")
    template_name = "web/forms/side_by_side.html"

    mode = forms.ChoiceField(label=_("The code"), choices=MODES)
    late_after_minutes = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=600,
        label=_("Minutes until late"),
        help_text=_("Who checks in later than that is late. Empty: nobody."),
    )
    place = PlaceField(
        required=False,
        label=_("Place"),
        help_text=_("Latitude and longitude as maps copy them, such as 48.8584, 2.2945. Empty: no matter where."),
    )
    radius = forms.FloatField(
        required=False, min_value=1, max_value=FARTHEST, label=_("Metres around it"), widget=forms.NumberInput
    )
    outside = forms.ChoiceField(label=_("Who is somewhere else"), choices=ANSWERS)
    same_device = forms.ChoiceField(label=_("A second student on a device"), choices=ANSWERS)
    networks = forms.BooleanField(required=False, label=_("Only in the school's networks"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["radius"].widget.attrs["step"] = "any"
        if not settings.CHECK_IN_NETWORKS:
            del self.fields["networks"]

    @classmethod
    def shown(cls, found: Any) -> dict[str, Any]:
        usual = check_in_defaults(found) or USUAL
        circle = usual.circle
        return {
            "mode": usual.mode.value,
            "late_after_minutes": found.late_after_minutes,
            "place": place_written(circle.centre) if circle else "",
            "radius": _whole(circle.radius) if circle else NEAR,
            "outside": usual.outside.value,
            "same_device": usual.same_device.value,
            "networks": usual.checks_networks,
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("place") and data.get("radius") is None and "radius" not in self.errors:
            raise ValidationError({"radius": _("How far from the place may they be?")})
        return data

    @property
    def changes(self) -> dict[str, Any]:
        data = self.cleaned_data
        options = CheckInOptions(
            mode=Mode(data["mode"]),
            circle=Circle(data["place"], data["radius"]) if data["place"] else None,
            checks_networks=data.get("networks", False),
            outside=Answer(data["outside"]),
            same_device=Answer(data["same_device"]),
        )
        return {"check_in": packed_defaults(options), "late_after_minutes": data["late_after_minutes"]}


def _whole(number: float) -> int | float:
    """Without `.0`."""
    return int(number) if number.is_integer() else number


class ReportsForm(SettingsForm):
    """From which percentage on reports name nobody."""

    columns = ("threshold",)

    threshold = forms.IntegerField(
        min_value=0, max_value=100, label=_("Limit in percent"), help_text=_("Reports name who attended less.")
    )
