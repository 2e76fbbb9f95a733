"""The check of a password: all routes and pages use one function, which counts wrong passwords in one place."""

from accounts import limits, passwords
from accounts.devices import Device
from accounts.models import User, email_key


def account_named(*, email: str = "", roll_number: str = "") -> str:
    """The key under which wrong passwords count for a name that no account has. All routes and pages use this key."""
    return f"email:{email_key(email)}" if email else f"roll number:{roll_number}"


def password_is_right(
    user: User | None, *, named: str, password: str, address: str | None, device: Device | None
) -> bool:
    """Whether the password is the user's and the account may sign in. All refusals take the same time.

    `user`: the account, or None if no account has the name. `named`: the `account_named` of the name that was given.
    `address` and `device`: the client's, None if unknown. Raises `TooManyRequests` after too many wrong passwords.
    """
    known_device = device.id_for(user.id) if device is not None and user is not None else None
    guess = limits.guess(account=user.id if user is not None else named, address=address, device=known_device)
    if user is None:
        passwords.password_matches(password, None, renew=lambda encoded: None)
        return False
    if not user.check_password(password) or not user.is_active:
        return False
    guess.was_right()
    if device is not None:
        device.remember(user.id)
    return True
