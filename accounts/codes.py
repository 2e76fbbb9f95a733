"""One-time codes: six digits, mailed to a person for one purpose. A code is good once, for ten minutes and five tries.

The client that asks for a code gets a token, which names the person and the purpose and is good for ten minutes too.
With this token nobody is signed in: another key signs it, and only the check of a code reads it.

Anybody may ask for a code for anybody, so a request of one client must not harm another client:

- A new code does not end the codes before it. Each code is good until its own time.
- Wrong codes are counted for each code, and for each client. The client that asked for a code has five tries of its
  own, which no other client can use up. That client has the code's token, and comes from the address that asked.
- A person may ask in one network and answer in another. So each other address has five tries too, and all other
  addresses together have ten.
"""

import logging
import secrets
from dataclasses import dataclass
from enum import StrEnum

from django.core import signing
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.limits import take
from accounts.models import OneTimeCode, User
from audit.models import Action, Outcome
from audit.trail import trail
from core import errors, logs
from core.addresses import network_of
from core.database.unit_of_work import retry_races, unit_of_work
from core.ids import new_id
from core.limits import CODE_LIFETIME, TRIES_ELSEWHERE, TRIES_EVERYWHERE
from core.times import now

logger = logging.getLogger(__name__)

LIFETIME = CODE_LIFETIME
#: The client that asked for a code has as many tries as anybody else.
TRIES = TRIES_ELSEWHERE.number

_SALT = "accounts.codes"


class Purpose(StrEnum):
    """What a code is good for."""

    REGISTER = "register"
    #: To prove that the mailbox is the person's, or to give up a forgotten password.
    RECOVER = "recover"
    #: To prove that the mailbox is the person's, while they are signed in.
    PROVE = "prove"
    #: To choose another password than the one that was forgotten.
    RESET = "reset"


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """A new code, for the mail, and the token for the client that asked for the code."""

    code: int
    token: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a token of `issue` says: the person, and the code that was made together with the token."""

    user_id: str
    code_id: str


@unit_of_work
def issue(*, user: User, purpose: Purpose, address: str | None = None) -> Issued:
    """Makes a code for `user`. `address` is where the request comes from, None if unknown. Older codes stay good."""
    code = 100_000 + secrets.randbelow(900_000)
    code_id = new_id()
    moment = now()
    OneTimeCode.objects.filter(user=user, purpose=purpose, expires_at__lte=moment).delete()
    OneTimeCode.objects.create(
        id=code_id,
        user=user,
        purpose=purpose,
        code_hash=_hash(code_id, str(code)),
        asked_from=_place(address),
        tries_left=TRIES,
        expires_at=moment + LIFETIME,
    )
    return Issued(code, signing.dumps({"user": user.id, "purpose": purpose.value, "code": code_id}, salt=_SALT))


def read_token(raw: str, purpose: Purpose) -> Asked:
    """What a token of `issue` says, with or without `Bearer ` before the token.

    Raises `Unauthorized` for a token that is bad, too old or for another purpose.
    """
    scheme, _, rest = raw.strip().partition(" ")
    token = rest.strip() if scheme.lower() == "bearer" else raw.strip()
    try:
        content = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        raise errors.Unauthorized from None
    if content["purpose"] != purpose:
        raise errors.Unauthorized
    return Asked(str(content["user"]), str(content.get("code", "")))


def check(
    *, user_id: str | None, purpose: Purpose, code: str, address: str | None = None, asked: Asked | None = None
) -> str:
    """Counts a try, and returns the id of the person's code that `code` is. `InvalidCode` if it is none of them.

    `user_id` is None where nobody has the name that was given. `address` is where the request comes from, None if
    unknown, and `asked` is the request's token, None where a route needs no token. The caller passes the id to `use`,
    in the unit of work that does what the code allows.
    """
    found = _take_tries(user_id, purpose, address, None if asked is None else asked.code_id)
    right = ""
    # A hash is computed in any case, so that a wrong code and a missing code take the same time.
    for code_id, expected in found or [("", "")]:
        if constant_time_compare(_hash(code_id, code), expected):
            right = code_id
    if not right:
        logs.event(logger, "sign_in_failed", "A wrong one-time code.", account=user_id)
        trail.note(Action.SIGN_IN, "one-time code", actor=user_id, outcome=Outcome.REFUSED)
        raise errors.InvalidCode
    trail.note(Action.SIGN_IN, "one-time code", actor=user_id)
    return right


@retry_races
@unit_of_work
def _take_tries(user_id: str | None, purpose: Purpose, address: str | None, asked: str | None) -> list[tuple[str, str]]:
    """Counts a try of each of the person's good codes. Returns id and hash of those that had a try left."""
    good = OneTimeCode.objects.filter(user_id=user_id, purpose=purpose, used_at=None, expires_at__gt=now())
    return [(found.id, found.code_hash) for found in good.order_by("id") if _take_try(found, address, asked)]


def _take_try(found: OneTimeCode, address: str | None, asked: str | None) -> bool:
    is_own = asked in (None, found.id)
    is_same_place = address is None or found.asked_from in ("", _place(address))
    if is_own and is_same_place:
        row = OneTimeCode.objects.filter(pk=found.id, tries_left__gt=0)
        return bool(row.update(tries_left=F("tries_left") - 1))
    if is_same_place and not found.tries_left:
        return False
    try:
        take(TRIES_ELSEWHERE, f"{found.id} {is_own} {network_of(address)}")
        take(TRIES_EVERYWHERE, found.id)
    except errors.TooManyRequests:
        return False
    return True


@unit_of_work
def use(code_id: str) -> None:
    """Marks a checked code as used. `InvalidCode` if it was used meanwhile, or is too old by now."""
    moment = now()
    if not OneTimeCode.objects.filter(pk=code_id, used_at=None, expires_at__gt=moment).update(used_at=moment):
        raise errors.InvalidCode


def _hash(code_id: str, code: str) -> str:
    """The keyed hash of a code. From a plain hash, a reader of the database would find the six digits at once."""
    return salted_hmac(_SALT, f"{code_id}:{code}", algorithm="sha256").hexdigest()


def _place(address: str | None) -> str:
    """The keyed hash of a client's network, so that no address is stored."""
    return salted_hmac(f"{_SALT}.place", network_of(address), algorithm="sha256").hexdigest() if address else ""
