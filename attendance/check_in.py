"""Self check-in: what a student must know and where they must be. Rules only, the same for every protocol."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.crypto import constant_time_compare

from core import errors

#: The earth's mean radius, metres.
EARTH = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the earth, degrees."""

    latitude: float
    longitude: float

    @classmethod
    def of(cls, latitude: object, longitude: object) -> "Place | None":
        """The place that a client's two numbers name; None if they name none."""
        if not _is_number(latitude) or not _is_number(longitude):
            return None
        place = cls(float(latitude), float(longitude))  # type: ignore[arg-type]  # both are numbers
        return place if abs(place.latitude) <= 90 and abs(place.longitude) <= 180 else None

    def metres_to(self, other: "Place") -> float:
        """The great-circle distance (haversine)."""
        here, there = math.radians(self.latitude), math.radians(other.latitude)
        north = math.sin((there - here) / 2) ** 2
        east = math.sin(math.radians(other.longitude - self.longitude) / 2) ** 2
        return 2 * EARTH * math.asin(math.sqrt(min(1.0, north + math.cos(here) * math.cos(there) * east)))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Circle:
    """Where students must be: at most `radius` metres from `centre`."""

    centre: Place
    radius: float


def check(*, codes: Iterable[str], code: str | None, circle: Circle | None, place: Place | None) -> None:
    """Whether somebody with `code` at `place` may mark themselves; `codes` are those good now, often one.

    Raises `WrongCode`, `LocationMissing`, `OutOfRange`, in this order.
    """
    good = [constant_time_compare(code or "", known) for known in codes if known]
    if not any(good):
        raise errors.WrongCode
    if circle is None:
        return
    if place is None:
        raise errors.LocationMissing
    if place.metres_to(circle.centre) > circle.radius:
        raise errors.OutOfRange
