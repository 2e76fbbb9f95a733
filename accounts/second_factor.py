"""The admin's second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for a lost phone.

Guesses are counted as those of passwords are (`accounts.limits.guess`). A code is good once: the time step of the last
one is kept, and none of that step or before is taken again. The database has the app's secret encrypted
(`core.sealing`), and of recovery codes a keyed hash.
"""

import logging
import secrets
import time
from dataclasses import dataclass

import pyotp
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import limits
from accounts.models import RecoveryCode, SecondFactor, User
from audit.models import Action, Outcome
from audit.trail import trail
from core import logs, sealing
from core.database.unit_of_work import unit_of_work
from core.qr_codes import qr_svg

logger = logging.getLogger(__name__)

#: So many recovery codes are made, each good once.
RECOVERY_CODES = 10
#: Seconds that a code is shown; RFC 6238's default, and the only one that all apps know.
STEP = 30
#: A phone's clock may differ by so many steps.
SKEW = 1

_ISSUER = "Attendance"
_SALT = "accounts.second_factor"


@dataclass(frozen=True, slots=True)
class Setup:
    """What somebody needs to set an app up: the secret to type, and a picture (SVG) to scan."""

    secret: str
    picture: str


def make_secret() -> str:
    """The sealed secret of an app to be set up. No account has it until a code of the app confirms it."""
    return sealing.seal(pyotp.random_base32(), purpose=_SALT)


def setup(user: User, sealed: str) -> Setup:
    """How `user` sets up an app with this secret. Raises `sealing.Unreadable`."""
    secret = sealing.unseal(sealed, purpose=_SALT)
    uri = pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=user.email, issuer_name=_ISSUER)
    return Setup(secret, qr_svg(uri, scale=5, error="l"))


def is_set_up(user: User) -> bool:
    """Whether the user has a second factor."""
    return SecondFactor.objects.filter(pk=user.pk).exists()


def confirm(user: User, sealed: str, code: str) -> list[str] | None:
    """The user's new recovery codes, if `code` is one of the app with this secret; None for a wrong code.

    `TooManyRequests` after too many wrong ones, of which there may be as many as of passwords.
    """
    guess = limits.guess(account=_account(user), address=None, device=None)
    step = _step_of(user, sealed, code)
    if step is None:
        logs.event(logger, "sign_in_failed", "A wrong code of an app that is being set up.", account=user.pk)
        return None
    guess.was_right()
    return _set_up(user, sealed, step)


@unit_of_work
def _set_up(user: User, sealed: str, step: int) -> list[str]:
    SecondFactor.objects.update_or_create(user_id=user.pk, defaults={"secret": sealed, "last_step": step})
    RecoveryCode.objects.filter(user=user).delete()
    made = [f"{secrets.token_hex(3)}-{secrets.token_hex(3)}" for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(key=_hash(user, code, settings.SECRET_KEY), user=user) for code in made]
    )
    return made


def check(user: User, code: str, *, address: str | None) -> bool:
    """Whether `code` is the app's code of now, or an unused recovery code; it is used up.

    `TooManyRequests` after too many wrong ones.
    """
    guess = limits.guess(account=_account(user), address=address, device=None)
    if not _use(user, code):
        logs.event(logger, "sign_in_failed", "A wrong code of the second factor.", account=user.pk)
        trail.note(Action.SIGN_IN, "second factor", actor=user.pk, outcome=Outcome.REFUSED)
        return False
    guess.was_right()
    trail.note(Action.SIGN_IN, "second factor", actor=user.pk)
    return True


@unit_of_work
def _use(user: User, code: str) -> bool:
    found = SecondFactor.objects.filter(pk=user.pk)
    sealed = found.values_list("secret", flat=True).first()
    step = _step_of(user, sealed, code) if sealed is not None else None
    if sealed is not None and step is not None:
        # Sealed anew, so that a key that was replaced is needed only until its people have signed in once more.
        renewed = sealing.seal(sealing.unseal(sealed, purpose=_SALT), purpose=_SALT)
        return bool(found.filter(last_step__lt=step).update(last_step=step, secret=renewed))
    hashes = [_hash(user, code, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return bool(RecoveryCode.objects.filter(pk__in=hashes).delete()[0])


@unit_of_work
def remove(user: User) -> bool:
    """Takes the second factor away, for somebody who has lost phone and recovery codes. Whether there was one."""
    RecoveryCode.objects.filter(user=user).delete()
    return bool(SecondFactor.objects.filter(pk=user.pk).delete()[0])


def _step_of(user: User, sealed: str, code: str) -> int | None:
    """The time step whose code this is, of those that count now."""
    try:
        app = pyotp.TOTP(sealing.unseal(sealed, purpose=_SALT), interval=STEP)
    except sealing.Unreadable:
        logger.error(
            "The second factor of user %s was encrypted with another SECRET_KEY. Put that key into"
            " SECRET_KEY_FALLBACKS, or take the second factor away: manage.py remove_second_factor",
            user.pk,
        )
        return None
    given = code.replace(" ", "")
    now = int(time.time()) // STEP
    steps = range(now - SKEW, now + SKEW + 1)
    return next((step for step in steps if constant_time_compare(app.generate_otp(step), given)), None)


def _account(user: User) -> str:
    return f"second factor:{user.pk}"


def _hash(user: User, code: str, key: str) -> str:
    """Keyed, so that whoever reads the database cannot guess at the codes."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return salted_hmac(_SALT, f"{user.pk}\n{plain}", secret=key, algorithm="sha256").hexdigest()
