"""Passwords of accounts: they are compared, changed, and reset by a mailed code.

All routes and pages use these functions, so wrong passwords are counted in one place.

`address` and `device` are the client's, None if unknown; see `accounts.limits`.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from accounts import codes, limits, mail, passwords, tokens
from accounts.codes import Purpose
from accounts.devices import Device
from accounts.limits import failures_counted
from accounts.models import User
from accounts.proofs import code_mail, mailbox_proved
from accounts.selectors import account_by_login
from audit.models import Action, Outcome
from audit.trail import trail
from core import errors, logs
from core.database.unit_of_work import retry_races, unit_of_work
from core.emails import email_key
from core.identity import Actor
from core.limits import CODE_ADDRESS
from core.roll_numbers import roll_number_key
from core.times import now

logger = logging.getLogger(__name__)

#: A request for a code takes at least this long, seconds. The work for a known account takes less, so the time does not
#: tell whether an account is known.
_ASKING = 0.1


def account_named(*, email: str = "", roll_number: str = "") -> str:
    """The key under which wrong passwords count for a name that no account has. All routes and pages use this key."""
    return f"email:{email_key(email)}" if email else f"roll number:{roll_number_key(roll_number)}"


def password_is_right(
    user: User | None, *, named: str, password: str, address: str | None, device: Device | None
) -> bool:
    """Whether the password is the user's and the account may sign in. All refusals take the same time.

    `user`: the account, or None if no account has the name. `named`: the `account_named` of the name that was given.
    Raises `TooManyRequests` after too many wrong passwords.
    """
    known_device = device.id_for(user.id) if device is not None and user is not None else None
    guess = limits.guess(account=user.id if user is not None else named, address=address, device=known_device)
    if user is None:
        passwords.password_matches(password, None, renew=lambda encoded: None)
        logs.event(logger, "sign_in_failed", "A password for an account that there is not.")
        trail.note(Action.SIGN_IN, "password", outcome=Outcome.REFUSED)
        return False
    if not user.check_password(password) or not user.is_active:
        logs.event(logger, "sign_in_failed", "A wrong password, or a disabled account.", account=user.id)
        trail.note(Action.SIGN_IN, "password", actor=user.id, outcome=Outcome.REFUSED)
        return False
    guess.was_right()
    trail.note(Action.SIGN_IN, "password", actor=user.id)
    if device is not None:
        device.remember(user.id)
    return True


def password_set(user: User, password: str) -> None:
    """Sets another password, which ends the tokens from before. `InvalidPassword` if somebody else was faster."""
    _set_password(user, passwords.hash_password(password))


@unit_of_work
def _set_password(user: User, password_hash: str) -> None:
    # The version changes with the password alone. The hash would not do: signing in may renew the hash.
    if not User.objects.filter(pk=user.id, token_version=user.token_version).update(updated_at=now()):
        raise errors.InvalidPassword
    user.password = password_hash
    user.save(update_fields=["password"])


def own_password_change(
    *, actor: Actor, old: str, new: str, address: str | None = None, device: Device | None = None
) -> str:
    """Sets another password for whoever knows the old one. Returns a new token; the tokens from before end.

    Raises `WeakPassword`, `InvalidPassword`, `TooManyRequests`.
    """
    passwords.refuse_weak(new)
    user = User.objects.get(pk=actor.id)
    named = account_named(email=user.email)
    if not password_is_right(user, named=named, password=old, address=address, device=device):
        raise errors.InvalidPassword
    password_set(user, new)
    return tokens.issue(user)


def password_forgot(*, login: str, address: str | None = None) -> None:
    """Mails a code for `password_reset` to the account of this e-mail or roll number, if one has it and an address.

    The caller does not learn whether one has: all cases take the same time, and are counted alike.
    `TooManyRequests` after too many mails.
    """
    with _alike_in_time():
        user = account_by_login(login)
        if user is None or not user.email:
            mail.allow(to=login, address=address)
        else:
            code_mail(user, Purpose.RESET, address=address)


def password_reset(
    *, login: str, code: str, password: str, address: str | None = None, device: Device | None = None
) -> str:
    """Sets another password for whoever has the mailed code. Returns a new token; the tokens from before end.

    The code proves that the mailbox is the person's. Raises `WeakPassword`, `InvalidCode`, `TooManyRequests`.
    """
    passwords.refuse_weak(password)
    user = account_by_login(login)
    with failures_counted((CODE_ADDRESS, address)):
        user_id = user.id if user is not None else None
        code_id = codes.check(user_id=user_id, purpose=Purpose.RESET, code=code, address=address)
    if user is None:
        raise errors.InvalidCode
    _reset(user, code_id, passwords.hash_password(password))
    limits.know(account=user.id, address=address)
    if device is not None:
        device.remember(user.id)
    return tokens.issue(user)


@retry_races
@unit_of_work
def _reset(user: User, code_id: str, password_hash: str) -> None:
    codes.use(code_id)
    mailbox_proved(user)
    user.password = password_hash
    user.save(update_fields=["password"])


@contextmanager
def _alike_in_time() -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        time.sleep(max(0.0, began + _ASKING - time.monotonic()))
