"""One-time codes: six digits, mailed to a person, for one purpose, good once, for ten minutes and five tries.

Whoever asks for a code gets a token that says who they are about to be (signed, ten minutes, for the same purpose).
It is no session token: another key signs it, and nothing but a code check reads it.
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
    #: To show that the mailbox is theirs, or to give up a forgotten password.
    RECOVER = "recover"


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """A fresh code, to be mailed, and the token to hand to whoever asked for it."""

    code: int
    token: str


@unit_of_work
def issue(*, user: User, purpose: Purpose) -> Issued:
    """A new code for `user`; the one before, for the same purpose, is good no more."""
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
    """The id of the person that `issue`'s token names, with or without `Bearer ` before it; `Unauthorized`."""
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
    """The id of the person's code, if it is `code`; a try is counted first. `InvalidCode` otherwise.

    The code is used up by `use`, in the unit of work that does what it allows.
    """
    found = _take_try(user_id, purpose)
    # Compared in any case, so that a wrong code and no code at all take the same time.
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
    """Uses a checked code up; `InvalidCode` if somebody has, or if it has just grown too old."""
    moment = now()
    if not OneTimeCode.objects.filter(pk=code_id, used_at=None, expires_at__gt=moment).update(used_at=moment):
        raise errors.InvalidCode


def _hash(code_id: str, code: str) -> str:
    """Keyed, because a plain hash of six digits is guessed at once by whoever has read the database."""
    return salted_hmac(_SALT, f"{code_id}:{code}", algorithm="sha256").hexdigest()
