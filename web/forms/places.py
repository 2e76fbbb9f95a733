"""Places on the earth as people copy them from maps: `48.8584, 2.2945`, `48°51'30.2"N 2°17'40.2"E` and the like."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from attendance.check_in import Place

_MARKS_OF_DIRECTION = "\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
#: What programs write besides: minus signs, Arabic points and commas, and other signs of minutes and seconds.
_PLAIN = str.maketrans(
    {"\u2212": "-", "\u066b": ".", "\u060c": ",", "′": "'", "’": "'", "″": '"', "”": '"'}
    | dict.fromkeys(_MARKS_OF_DIRECTION)
)


def _pair(point: str) -> re.Pattern[str]:
    """Two angles whose decimals stand behind `point`, each in degrees or in degrees, minutes and seconds."""
    number = rf"\d{{1,3}}(?:{point}\d{{1,15}})?"
    angle = rf"([-+]?)({number})\s?(?:°\s?(?:({number})\s?'\s?)?(?:({number})\s?(?:\"|'')\s?)?)?"
    return re.compile(rf"(?:geo:)?{angle}([NS]?)(?:\s?[,;]\s?|\s|(?<=[NS])){angle}([EW]?)(?:[?;].*)?", re.IGNORECASE)


#: Decimal points first: `48,2` is two numbers.
_PAIRS = (_pair(r"\."), _pair(","))


def place_read(text: str) -> Place | None:
    """The place that a text names, latitude first; None if it names none."""
    plain = " ".join(text.translate(_PLAIN).split())
    found = next(filter(None, (pair.fullmatch(plain) for pair in _PAIRS)), None)
    if found is None:
        return None
    parts = found.groups()
    return Place.of(_degrees(*parts[:5]), _degrees(*parts[5:]))


def _degrees(sign: str, degrees: str, minutes: str | None, seconds: str | None, side: str) -> float | None:
    """None where the parts contradict each other."""
    whole, sixtieths, rest = (float((part or "0").replace(",", ".")) for part in (degrees, minutes, seconds))
    if sixtieths >= 60 or rest >= 60 or (sign == "-" and side):
        return None
    is_negative = sign == "-" or side.upper() in ("S", "W")
    return (-1 if is_negative else 1) * (whole + sixtieths / 60 + rest / 3600)


def place_written(place: Place) -> str:
    """A place as `place_read` takes it; a tenth of a metre is as near as anybody needs."""
    return ", ".join(f"{angle:.6f}".rstrip("0").rstrip(".") for angle in (place.latitude, place.longitude))


class PlaceField(forms.CharField):
    """A place in one field, a `Place` or None."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "dir": "ltr"})
        super().__init__(max_length=200, widget=widget, **kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        place = place_read(text)
        if place is None:
            raise forms.ValidationError(_("Not a place. Write it as 48.8584, 2.2945: first north or south."))
        return place

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(place_read(initial or "") != place_read(data or ""))
