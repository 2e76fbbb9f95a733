"""Passwords as their owners use them: one way for every door, with one count of wrong ones."""

from accounts import limits, passwords
from accounts.devices import Device
from accounts.models import User, email_key


def account_named(*, email: str = "", roll_number: str = "") -> str:
    """How wrong passwords are counted for a name that nobody has, alike at every door."""
    return f"email:{email_key(email)}" if email else f"roll number:{roll_number}"


def password_is_right(
    user: User | None, *, named: str, password: str, address: str | None, device: Device | None
) -> bool:
    """Whether somebody may sign in with this password; takes the same time whatever is wrong.

    `user` is None where nobody has the name that was given; `named` is that name (`account_named`). The client comes
    from `address` on `device`, None where that is not known. `TooManyRequests` after too many wrong ones.
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
