"""Limits on guessing, counted in the database: so they hold across processes, and however many come at once.

An attempt is counted before anything is checked or hashed, and taken back if it succeeds. Two kinds of limits:

- `Limit`: at most so many within a time (`take`, `failures_counted`).
- `guess`: passwords. Nobody can lock somebody else out, so there is no lock, but a delay that grows. It is counted for
  the account and the address together, and for a device that has signed in to the account before it is counted for
  that device alone. Strangers, who come from an address where the account has never signed in, have a limit
  besides: for the account over all addresses. Whoever is known passes that one. The idea is OWASP's device cookies
  (https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies).

Times are the clock's, and clocks jump. A wait is therefore never longer than its own rule allows: where a row says
otherwise the clock has gone back since, and the wait is over.

`LIMITS=0` lifts all of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils.crypto import salted_hmac

from accounts.models import Attempts
from core import errors
from core.addresses import network_of
from core.database.unit_of_work import retry_races, unit_of_work
from core.times import now


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `number` of what `name` says within `window`, which begins with the first."""

    name: str
    number: int
    window: timedelta


#: Wrong one-time codes. Of 900,000 codes nobody guesses one in this many tries.
CODE_ACCOUNT = Limit("code account", 15, timedelta(hours=1))
CODE_ADDRESS = Limit("code address", 300, timedelta(minutes=15))
#: Codes asked for. AttenTrack's app asks for one at every start while its owner is unverified.
CODES_SENT = Limit("codes sent", 60, timedelta(hours=1))
#: Wrong codes of a class's session.
SELF_MARKS = Limit("self marks", 10, timedelta(minutes=10))

#: So many wrong passwords in a row cost no wait: who has forgotten a password tries all of theirs.
PATIENCE = 10
#: After those the wait doubles with each wrong password, from one second to this. So whoever guesses day and night
#: has 96 guesses a day, and who shares an address with them waits a quarter of an hour at worst.
LONGEST_DELAY = timedelta(minutes=15)
#: Wrong passwords are forgotten so long after the last of them.
FORGOTTEN = timedelta(days=1)
#: An address where an account has signed in is known to be its for so long: the holidays between two terms are shorter.
ADDRESS_KNOWN = timedelta(days=90)
#: Wrong passwords of strangers for one account, over all addresses: fewer than 1,000 a day, of a million addresses too.
STRANGERS_OF_ACCOUNT = Limit("strangers of account", 40, timedelta(hours=1))
#: Wrong passwords of strangers at one address, for all accounts: a school's first day, on which a thousand pupils
#: mistype theirs. Beyond it nobody is refused, but strangers there have one try without a wait instead of PATIENCE.
STRANGERS_AT_ADDRESS = Limit("strangers at address", 1000, timedelta(minutes=15))
_CROWD_PATIENCE = 1

#: The clocks of two machines differ by less.
_CLOCK_SKEW = timedelta(seconds=5)
#: Rows this much older than their time are deleted when a new one is made.
_KEPT = timedelta(days=1)


# Limits of a number within a time


def take(limit: Limit, subject: str) -> None:
    """Counts one attempt of `subject`; `TooManyRequests` if there is none left."""
    if settings.LIMITS:
        _take([(limit, subject)])


def refuse_if_full(limit: Limit, subject: str) -> None:
    """`TooManyRequests` if no attempt is left. Counts nothing: for checks that must not write when all is well."""
    if settings.LIMITS:
        _refuse_if_full(_key(limit.name, subject), limit, now())


@contextmanager
def failures_counted(*subjects: tuple[Limit, str | None]) -> Iterator[None]:
    """Counts the block as an attempt of each subject (None: nobody), unless it succeeds.

    `TooManyRequests`, and nobody's attempt is counted, if one of them has none left.
    """
    known = [(limit, subject) for limit, subject in subjects if subject is not None and settings.LIMITS]
    _take(known)
    yield
    _give_back(known)


@retry_races
@unit_of_work
def _take(subjects: Sequence[tuple[Limit, str]]) -> None:
    for limit, subject in subjects:
        _count(_key(limit.name, subject), limit, now())


@unit_of_work
def _give_back(subjects: Sequence[tuple[Limit, str]]) -> None:
    for limit, subject in subjects:
        Attempts.objects.filter(pk=_key(limit.name, subject), number__gt=0).update(number=F("number") - 1)


def _count(key: str, limit: Limit, moment: datetime) -> None:
    row = Attempts.objects.filter(pk=key)
    current = row.filter(until__gt=moment, until__lte=moment + limit.window + _CLOCK_SKEW)
    if current.filter(number__lt=limit.number).update(number=F("number") + 1):
        return
    _refuse_if_full(key, limit, moment)
    if not row.filter(Q(until__lte=moment) | Q(until__gt=moment + limit.window + _CLOCK_SKEW)).update(
        number=1, until=moment + limit.window
    ):
        # A row that has just come from somebody else makes this lose a race.
        _make(Attempts(key=key, number=1, until=moment + limit.window), moment)


def _refuse_if_full(key: str, limit: Limit, moment: datetime) -> None:
    full = Attempts.objects.filter(
        pk=key, until__gt=moment, until__lte=moment + limit.window + _CLOCK_SKEW, number__gte=limit.number
    )
    until = full.values_list("until", flat=True).first()
    if until is not None:
        raise errors.TooManyRequests((until - moment).total_seconds())


def _make(row: Attempts, moment: datetime) -> None:
    Attempts.objects.filter(until__lt=moment - _KEPT).delete()
    row.save(force_insert=True)


# Passwords


@dataclass(frozen=True, slots=True)
class Guess:
    """A password that is about to be compared, counted as wrong until `was_right`."""

    #: The row of the account and the address, and the one of the known device, if there is one.
    _place: str
    _device: str | None
    _counted: Sequence[tuple[Limit, str]]

    def was_right(self) -> None:
        """The address is known to be the account's from now on, and nothing is counted against it or the device."""
        if settings.LIMITS:
            _know(self)


def guess(*, account: str, address: str | None, device: str | None) -> Guess:
    """Counts a guess of `account`'s password that comes from `address` (None: not known).

    `account` is the same for all doors (`accounts.credentials`); `device` is the id of a device that has
    signed in to this account before (`accounts.devices`), or None. `TooManyRequests` says how long to wait.
    """
    network = network_of(address)
    place = _key("place", account, network)
    known_device = _key("device", account, device) if device is not None else None
    if not settings.LIMITS:
        return Guess(place, known_device, ())
    return Guess(place, known_device, _begin(account, network, place, known_device))


@retry_races
@unit_of_work
def _begin(account: str, network: str, place: str, device: str | None) -> Sequence[tuple[Limit, str]]:
    """Counts a guess; what `_know` has to give back if it was right."""
    moment = now()
    if device is not None:
        _wait_turn(device, PATIENCE, moment)
        return ()
    if Attempts.objects.filter(pk=place, known=True, until__gt=moment).exists():
        _wait_turn(place, PATIENCE, moment)
        return ()
    counted = [(STRANGERS_OF_ACCOUNT, account)]
    _count(_key(STRANGERS_OF_ACCOUNT.name, account), STRANGERS_OF_ACCOUNT, moment)
    patience = PATIENCE
    try:
        _count(_key(STRANGERS_AT_ADDRESS.name, network), STRANGERS_AT_ADDRESS, moment)
        counted.append((STRANGERS_AT_ADDRESS, network))
    except errors.TooManyRequests:
        patience = _CROWD_PATIENCE
    _wait_turn(place, patience, moment)
    return counted


def _wait_turn(key: str, patience: int, moment: datetime) -> None:
    row = Attempts.objects.filter(pk=key)
    # Changes the row before it is read, so that of many at once one comes after another.
    if not row.update(number=F("number") + 1):
        _make(Attempts(key=key, number=1, last_at=moment, until=moment + FORGOTTEN), moment)
        return
    found = row.get()
    passed = moment - found.last_at if found.last_at is not None else FORGOTTEN
    if passed >= FORGOTTEN:
        found.number = 1
    elif passed >= -_CLOCK_SKEW:  # otherwise the clock has gone back since
        wait = _delay(found.number - 1, patience) - max(passed, timedelta())
        if wait > timedelta():
            raise errors.TooManyRequests(wait.total_seconds())
    until = max(found.until, moment + FORGOTTEN) if found.known else moment + FORGOTTEN
    row.update(number=found.number, last_at=moment, until=until)


def _delay(wrong: int, patience: int) -> timedelta:
    """How long to wait after so many wrong passwords."""
    if wrong < patience:
        return timedelta()
    return min(timedelta(seconds=2 ** min(wrong - patience, 20)), LONGEST_DELAY)


@retry_races
@unit_of_work
def _know(guess: Guess) -> None:
    moment = now()
    known = {"known": True, "until": moment + ADDRESS_KNOWN}
    right = {"number": 0, "last_at": None}
    if guess._device is not None:
        # Others at the address are not forgiven for it.
        Attempts.objects.filter(pk=guess._device).update(**right)
        updated = Attempts.objects.filter(pk=guess._place).update(**known)
    else:
        updated = Attempts.objects.filter(pk=guess._place).update(**known, **right)
    if not updated:
        _make(Attempts(key=guess._place, number=0, **known), moment)
    _give_back(guess._counted)


def _key(*words: str) -> str:
    """The hash of what a row counts: neither addresses nor e-mails are kept."""
    return salted_hmac("accounts.limits", "\n".join(words), algorithm="sha256").hexdigest()
