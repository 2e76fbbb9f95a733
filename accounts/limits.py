"""Limits on guessing. They are counted in the database, so they hold across processes and for attempts at once.

An attempt is counted before anything is checked or hashed, and taken back if it succeeds; but for `mistakes_counted`,
which writes nothing for those that succeed. There are two kinds:

- A row of `core.limits` is a number of attempts within a time (`take`, `failures_counted`, `mistakes_counted`).
- `guess` is for passwords. A lock would let anybody lock somebody else out, so wrong passwords cost a wait that grows.
  They are counted for the account and the network of the address together. On a device that has signed in to the
  account before, they are counted for that device alone. Strangers are clients on another device and from a network
  where the account has never signed in. Their guesses have a limit besides, for the account over all addresses.
  The idea is OWASP's device cookies
  (https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies).

Clocks jump. A wait is therefore never longer than its own rule allows: a row that asks for a longer wait was written
before the clock was set back, and its wait is over.

`LIMITS=0` lifts all limits.
"""

import threading
from collections import Counter
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
from core.ids import parse_id
from core.limits import STRANGERS_AT_ADDRESS, STRANGERS_OF_ACCOUNT, Limit
from core.refusals import count_refusal
from core.times import now

#: The name of the limit that is a wait which grows.
WRONG_PASSWORDS = "wrong passwords"
#: This many wrong passwords in a row cost no wait, because a person who has forgotten a password tries several.
PATIENCE = 10
#: After PATIENCE the wait doubles with each wrong password, from one second to this. So an attacker has 96 guesses a
#: day, and a person who shares the attacker's address waits a quarter of an hour at most.
LONGEST_DELAY = timedelta(minutes=15)
#: Wrong passwords are forgotten this long after the last of them.
FORGOTTEN = timedelta(days=1)
#: The account's sign-in from a network is remembered this long, which is longer than the holidays between two terms.
ADDRESS_KNOWN = timedelta(days=90)
#: Where there were too many wrong passwords of strangers, each has this many tries without a wait.
_CROWD_PATIENCE = 1

#: The clocks of two machines differ by less than this.
_CLOCK_SKEW = timedelta(seconds=5)
#: Rows whose `until` is this long ago are deleted when a new row is made.
_KEPT = timedelta(days=1)


# Limits of a number within a time


def take(limit: Limit, subject: str, amount: int = 1) -> None:
    """Counts `amount` attempts of `subject`. Raises `TooManyRequests`, and counts none, if fewer are left."""
    if not limit.is_lifted and amount:
        with _refusals_counted():
            _take([(limit, subject)], amount)


def refuse_if_full(limit: Limit, subject: str) -> None:
    """Raises `TooManyRequests` if no attempt is left. Counts nothing, for checks that write only on a failure."""
    if not limit.is_lifted:
        with _refusals_counted():
            _refuse_if_full(_row(limit, subject), limit, now())


@contextmanager
def failures_counted(*subjects: tuple[Limit, str | None]) -> Iterator[None]:
    """Counts the block as an attempt of each subject, unless the block succeeds. A subject that is None is left out.

    Raises `TooManyRequests` if a subject has no attempt left. Then no attempt is counted, and the block is not run.
    """
    known = [(limit, subject) for limit, subject in subjects if subject is not None and not limit.is_lifted]
    with _refusals_counted():
        _take(known)
    yield
    _give_back(known)


@contextmanager
def mistakes_counted(*subjects: tuple[Limit, str | None]) -> Iterator[None]:
    """As `failures_counted`, for what a whole class does at once and nearly always rightly: it writes mistakes alone.

    Attempts that are under way in this process are taken for mistakes, so that no attempt is let in beyond the limit.
    Of another process those are not known: as many attempts as it has threads may be let in besides, once.
    """
    known = [(limit, subject) for limit, subject in subjects if subject is not None and not limit.is_lifted]
    rows = [_row(limit, subject) for limit, subject in known]
    with _under_way.counted(rows) as numbers:
        with _refusals_counted():
            for (limit, _), row, number in zip(known, rows, numbers, strict=True):
                _refuse_if_full(row, limit, now(), number)
        try:
            yield
        except Exception:
            with _refusals_counted():
                _take(known)
            raise


class _UnderWay:
    """How many attempts of each row are under way in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: Counter[str] = Counter()

    @contextmanager
    def counted(self, rows: Sequence[str]) -> Iterator[list[int]]:
        """One more of each row during the block, which is given how many there are then."""
        with self._lock:
            self._numbers.update(rows)
            numbers = [self._numbers[row] for row in rows]
        try:
            yield numbers
        finally:
            with self._lock:
                self._numbers -= Counter(rows)  # this leaves out those with none


_under_way = _UnderWay()


class _Reached(errors.TooManyRequests):
    """No attempt is left of the limit `name`."""

    def __init__(self, name: str, wait: timedelta) -> None:
        super().__init__(wait.total_seconds())
        self.name = name


@contextmanager
def _refusals_counted(account: str | None = None) -> Iterator[None]:
    """Around what refuses a client in the end; the limits inside are counted once, however often they are tried."""
    try:
        yield
    except _Reached as refusal:
        count_refusal(refusal.name, account=account)
        raise


@retry_races
@unit_of_work
def _take(subjects: Sequence[tuple[Limit, str]], amount: int = 1) -> None:
    for limit, subject in subjects:
        _count(_row(limit, subject), limit, now(), amount)


@unit_of_work
def _give_back(subjects: Sequence[tuple[Limit, str]]) -> None:
    for limit, subject in subjects:
        Attempts.objects.filter(pk=_row(limit, subject), number__gt=0).update(number=F("number") - 1)


def _count(key: str, limit: Limit, moment: datetime, amount: int = 1) -> None:
    row = Attempts.objects.filter(pk=key)
    current = row.filter(until__gt=moment, until__lte=moment + limit.window + _CLOCK_SKEW)
    if current.filter(number__lte=limit.number - amount).update(number=F("number") + amount):
        return
    _refuse_if_full(key, limit, moment, amount)
    if amount > limit.number:
        raise _Reached(limit.label, limit.window)
    if not row.filter(Q(until__lte=moment) | Q(until__gt=moment + limit.window + _CLOCK_SKEW)).update(
        number=amount, until=moment + limit.window
    ):
        # If another request has just made the row, this insert fails, and the unit of work is run again.
        _make(Attempts(key=key, number=amount, until=moment + limit.window), moment)


def _refuse_if_full(key: str, limit: Limit, moment: datetime, amount: int = 1) -> None:
    full = Attempts.objects.filter(
        pk=key,
        until__gt=moment,
        until__lte=moment + limit.window + _CLOCK_SKEW,
        number__gt=limit.number - amount,
    )
    until = full.values_list("until", flat=True).first()
    if until is not None:
        raise _Reached(limit.label, until - moment)


def _make(row: Attempts, moment: datetime) -> None:
    Attempts.objects.filter(until__lt=moment - _KEPT).delete()
    row.save(force_insert=True)


# Passwords


@dataclass(frozen=True, slots=True)
class Guess:
    """A password that is about to be compared. It counts as wrong until `was_right` is called."""

    #: The key of the row of account and network, and the key of the known device's row, if the device is known.
    _place: str
    _device: str | None
    _counted: Sequence[tuple[Limit, str]]

    def was_right(self) -> None:
        """Remembers the network as one of the account's, and forgets the wrong passwords that were counted here."""
        if settings.LIMITS:
            _know(self)


def guess(*, account: str, address: str | None, device: str | None) -> Guess:
    """Counts a guess of `account`'s password from `address`, which is None if it is not known.

    `account`: the key that `accounts.credentials` gives the account. `device`: the id of a device on which the account
    has signed in before (`accounts.devices`), or None. Raises `TooManyRequests`, which says how long to wait.
    """
    network = network_of(address)
    place = _key("place", account, network)
    known_device = _key("device", account, device) if device is not None else None
    if not settings.LIMITS:
        return Guess(place, known_device, ())
    with _refusals_counted(parse_id(account)):  # an account that nobody has is known by what a client wrote
        counted = _begin(account, network, place, known_device)
    return Guess(place, known_device, counted)


def know(*, account: str, address: str | None) -> None:
    """The account's owner has shown otherwise who they are: `address` is known to be the account's from now on."""
    Guess(_key("place", account, network_of(address)), None, ()).was_right()


@retry_races
@unit_of_work
def _begin(account: str, network: str, place: str, device: str | None) -> Sequence[tuple[Limit, str]]:
    """Counts a guess. Returns the attempts that `_know` gives back if the guess was right."""
    moment = now()
    if device is not None:
        _wait_turn(device, PATIENCE, moment)
        return ()
    if Attempts.objects.filter(pk=place, known=True, until__gt=moment).exists():
        _wait_turn(place, PATIENCE, moment)
        return ()
    counted = [(STRANGERS_OF_ACCOUNT, account)]
    _count(_row(STRANGERS_OF_ACCOUNT, account), STRANGERS_OF_ACCOUNT, moment)
    patience = PATIENCE
    try:
        _count(_row(STRANGERS_AT_ADDRESS, network), STRANGERS_AT_ADDRESS, moment)
        counted.append((STRANGERS_AT_ADDRESS, network))
    except _Reached:
        patience = _CROWD_PATIENCE
    _wait_turn(place, patience, moment)
    return counted


def _wait_turn(key: str, patience: int, moment: datetime) -> None:
    row = Attempts.objects.filter(pk=key)
    # The row is changed before it is read, so that guesses at once come one after another.
    if not row.update(number=F("number") + 1):
        _make(Attempts(key=key, number=1, last_at=moment, until=moment + FORGOTTEN), moment)
        return
    found = row.get()
    passed = moment - found.last_at if found.last_at is not None else FORGOTTEN
    if passed >= FORGOTTEN:
        found.number = 1
    elif passed >= -_CLOCK_SKEW:  # else the clock was set back, and the wait is over
        wait = _delay(found.number - 1, patience) - max(passed, timedelta())
        if wait > timedelta():
            raise _Reached(WRONG_PASSWORDS, wait)
    until = max(found.until, moment + FORGOTTEN) if found.known else moment + FORGOTTEN
    row.update(number=found.number, last_at=moment, until=until)


def _delay(wrong: int, patience: int) -> timedelta:
    """The wait after this many wrong passwords."""
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
        # The guesses of the address's other devices stay counted.
        Attempts.objects.filter(pk=guess._device).update(**right)
        updated = Attempts.objects.filter(pk=guess._place).update(**known)
    else:
        updated = Attempts.objects.filter(pk=guess._place).update(**known, **right)
    if not updated:
        _make(Attempts(key=guess._place, number=0, **known), moment)
    _give_back(guess._counted)


def _row(limit: Limit, subject: str) -> str:
    return _key(limit.label, subject)


def _key(*words: str) -> str:
    """The key of a row: a hash, so that the table holds neither addresses nor e-mails."""
    return salted_hmac("accounts.limits", "\n".join(words), algorithm="sha256").hexdigest()
