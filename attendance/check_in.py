"""Self check-in: what a student must know and where they must be. Rules only, the same for every protocol."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zlib import crc32

from django.utils.crypto import constant_time_compare, salted_hmac

from core import errors

#: The earth's mean radius, metres.
EARTH = 6_371_008.8
#: Half the way around it, metres: nothing is further away.
FARTHEST = 20_100_000

#: A rotating code is shown for so long, and is good for a little longer.
STEP = timedelta(seconds=15)
GRACE = timedelta(seconds=5)
DIGITS = 6
_EPOCH = datetime.fromtimestamp(0, UTC)

#: So much of a phone's own inaccuracy is taken in its favour, metres.
FAVOUR = 50.0
#: A place that is less accurate than this says nothing, metres.
VAGUE = 500.0


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the earth, degrees; `accuracy` is by how many metres the device may be wrong."""

    latitude: float
    longitude: float
    accuracy: float = 0.0

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

    Raises `WrongCode`, `LocationMissing`, `PlaceVague`, `OutOfRange`, in this order.
    """
    check_code(codes, code)
    check_place(circle, place)


def check_code(codes: Iterable[str], code: str | None) -> None:
    """Whether `code` is one of the `codes` that are good now. Raises `WrongCode`."""
    good = [constant_time_compare(code or "", known) for known in codes if known]
    if not any(good):
        raise errors.WrongCode


def check_place(circle: Circle | None, place: Place | None) -> None:
    """Whether `place` is in the circle, if there is one. Raises `LocationMissing`, `PlaceVague`, `OutOfRange`."""
    if circle is None:
        return
    if place is None:
        raise errors.LocationMissing
    if place.accuracy > VAGUE:
        raise errors.PlaceVague
    if place.metres_to(circle.centre) - min(place.accuracy, FAVOUR) > circle.radius:
        raise errors.OutOfRange


class Mode(StrEnum):
    """Whether the code changes."""

    ROTATING = "rotating"
    FIXED = "fixed"


class Answer(StrEnum):
    """What becomes of a check-in that looks wrong: it is refused, or it counts and the teacher is told."""

    REFUSE = "refuse"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class FlagShown:
    """A check-in that counts and looks wrong: how far from the place it was, metres, or who else used the device."""

    id: str
    student_id: str
    name: str
    kind: str
    metres: int | None
    other_id: str | None
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CheckInView:
    """How the students of a session mark themselves, and all flags that came of it, by id."""

    rules: "CheckInRules | None"
    flags: Mapping[str, FlagShown]


@dataclass(frozen=True, slots=True)
class CheckInOptions:
    """What a teacher chooses of how students mark themselves."""

    mode: Mode
    circle: Circle | None = None
    checks_networks: bool = False
    outside: Answer = Answer.REFUSE
    same_device: Answer = Answer.REFUSE


@dataclass(frozen=True, slots=True)
class CheckInRules:
    """How students mark themselves in a session, as its teacher opened it.

    The code follows from the server's secret, the `nonce` of this opening and the server's clock, so that nothing is
    stored, and every process and every page of the teacher's has the same.
    """

    session_id: str
    nonce: str
    mode: Mode
    circle: Circle | None
    checks_networks: bool
    outside: Answer
    same_device: Answer
    until: datetime | None
    is_closed: bool = False

    def is_open(self, moment: datetime) -> bool:
        return not self.is_closed and (self.until is None or moment < self.until)

    def code_at(self, moment: datetime) -> str:
        """The code that is shown at `moment`."""
        return self._code(self._step(moment))

    def good_codes(self, moment: datetime) -> list[str]:
        """The codes that are taken at `moment`: the one that is shown, and for a little while the one before."""
        step = self._step(moment)
        return [self._code(step)] if step == self._step(moment - GRACE) else [self._code(step), self._code(step - 1)]

    def valid_until(self, moment: datetime) -> datetime | None:
        """When the code that is shown at `moment` changes; None for a fixed code that nothing ends."""
        if self.mode is Mode.FIXED:
            return self.until
        return _EPOCH + (self._step(moment) + 1) * STEP - self._shift

    @property
    def _shift(self) -> timedelta:
        """Codes change at moments of their own: the walls of a school do not all ask at once for the next one."""
        return timedelta(milliseconds=crc32(self.nonce.encode()) % (STEP // timedelta(milliseconds=1)))

    def _step(self, moment: datetime) -> int:
        return 0 if self.mode is Mode.FIXED else (moment - _EPOCH + self._shift) // STEP

    def _code(self, step: int) -> str:
        digest = salted_hmac(
            "attendance.check_in", f"{self.session_id}:{self.nonce}:{step}", algorithm="sha256"
        ).digest()
        return f"{int.from_bytes(digest[:8]) % 10**DIGITS:0{DIGITS}}"
