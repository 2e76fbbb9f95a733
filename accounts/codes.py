"""One-time codes: six digits, mailed to a person for one purpose. A code is good once, for ten minutes and five tries.

The client that asks for a code gets a token, which names the person and the purpose and is good for ten minutes too.
With this token nobody is signed in: another key signs it, and only the check of a code reads it.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.core import signing
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import OneTimeCode, User
from core import errors
from core.database.unit_of_work import unit_of_work
from core.ids import new_id
from core.times import now

LIFETIME = timedelta(minutes=10)
TRIES = 5

_SALT = "accounts.codes"


class Purpose(StrEnum):
    """What a code is good for."""

    REGISTER = "register"
    #: To prove that the mailbox is the person's, or to give up a forgotten password.
    RECOVER = "recover"


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """A new code, for the mail, and the token for the client that asked for the code."""

    code: int
    token: str


@unit_of_work
def issue(*, user: User, purpose: Purpose) -> Issued:
    """Makes a code for `user`. An older code for the same purpose ends."""
    code = 100_000 + secrets.randbelow(900_000)
    code_id = new_id()
    OneTimeCode.objects.filter(user=user, purpose=purpose).delete()
    OneTimeCode.objects.create(
        id=code_id,
        user=user,
        purpose=purpose,
        code_hash=_hash(code_id, str(code)),
        tries_left=TRIES,
        expires_at=now() + LIFETIME,
    )
    return Issued(code, signing.dumps({"user": user.id, "purpose": purpose.value}, salt=_SALT))


def read_token(raw: str, purpose: Purpose) -> str:
    """The id of the person whom a token of `issue` names, with or without `Bearer ` before the token.

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
    return str(content["user"])


def check(*, user_id: str, purpose: Purpose, code: str) -> str:
    """Counts a try, and returns the id of the person's code if `code` is right. `InvalidCode` otherwise.

    The caller passes the id to `use`, in the unit of work that does what the code allows.
    """
    found = _take_try(user_id, purpose)
    # The hash is computed in any case, so that a wrong code and a missing code take the same time.
    code_id, expected = found or ("", "")
    if not constant_time_compare(_hash(code_id, code), expected):
        raise errors.InvalidCode
    return code_id


@unit_of_work
def _take_try(user_id: str, purpose: Purpose) -> tuple[str, str] | None:
    good = OneTimeCode.objects.filter(user_id=user_id, purpose=purpose, used_at=None, expires_at__gt=now())
    found = good.filter(tries_left__gt=0).order_by("-id").values_list("id", "code_hash").first()
    if found is None or not good.filter(pk=found[0], tries_left__gt=0).update(tries_left=F("tries_left") - 1):
        return None
    return found


@unit_of_work
def use(code_id: str) -> None:
    """Marks a checked code as used. `InvalidCode` if it was used meanwhile, or is too old by now."""
    moment = now()
    if not OneTimeCode.objects.filter(pk=code_id, used_at=None, expires_at__gt=moment).update(used_at=moment):
        raise errors.InvalidCode


def _hash(code_id: str, code: str) -> str:
    """The keyed hash of a code. From a plain hash, a reader of the database would find the six digits at once."""
    return salted_hmac(_SALT, f"{code_id}:{code}", algorithm="sha256").hexdigest()
