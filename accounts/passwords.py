"""Passwords: bcrypt over SHA-256, with ten rounds, in a small pool of threads.

SHA-256 comes first, because bcrypt reads no more than 72 bytes. The hashes have a pool of their own, because a hash
takes 68 ms: 50 threads that hash delay the event loop by 26 ms at p99, one thread by 0.9 ms. The pool serves accounts
in turn (`core.turns`), so that a flood of sign-ins to one account does not delay another account's.
"""

import os
import re
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import bcrypt
from django.contrib.auth.hashers import (
    BCryptPasswordHasher,
    BCryptSHA256PasswordHasher,
    check_password,
    make_password,
)
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from core import errors, turns
from core.turns import FairPool

R = TypeVar("R")

#: One core is left to the event loop.
_pool = FairPool(min(4, max(1, (os.cpu_count() or 2) - 1)), "bcrypt")


class BcryptHasher(BCryptSHA256PasswordHasher):
    """`bcrypt_sha256$…` with 10 rounds, the cost that the published systems use."""

    rounds = 10


class PlainBcryptHasher(BCryptPasswordHasher):
    """`bcrypt$…`: bcrypt of the password itself, as the published systems store it. The next login replaces it."""

    def encode(self, password: str, salt: Any) -> str:
        # Those systems hashed the first 72 bytes of a longer password; this library refuses a longer password.
        return f"{self.algorithm}${bcrypt.hashpw(password.encode()[:72], salt).decode()}"


#: A hash of a higher cost takes seconds to check, and other logins would wait meanwhile.
HIGHEST_COST = 15
#: The salt's last digit holds two bits. The library refuses to check a hash whose last digit has more bits set.
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}\Z", re.ASCII)


def from_bcrypt(hashed: str) -> str | None:
    """What to store for a foreign bcrypt hash (`$2a$`, `$2b$`, `$2y$`); None for a hash that cannot be checked."""
    found = _BCRYPT.match(hashed)
    return f"bcrypt${hashed}" if found and 4 <= int(found[1]) <= HIGHEST_COST else None


#: No letters that are mistaken for others on paper, and none that a spreadsheet takes for a formula.
_UNMISTAKABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def password_make() -> str:
    """A random password of twelve letters and digits, about 59 bits."""
    return "".join(secrets.choice(_UNMISTAKABLE) for _ in range(12))


def weaknesses(password: str) -> list[str]:
    """What is wrong with a new password, in sentences for people; nothing if it is long and uncommon enough.

    For the project's own routes and pages, the admin, and with PASSWORD_STRICT for every protocol.
    """
    try:
        validate_password(password)
    except ValidationError as failure:
        return failure.messages
    return []


def refuse_weak(password: str) -> None:
    """`WeakPassword` for a new password that has `weaknesses`."""
    if weaknesses(password):
        raise errors.WeakPassword


def hash_password(password: str) -> str:
    """The hash to store for `password`. Takes about 70 ms, after a wait for the pool."""
    return _in_pool(lambda: make_password(password))


def password_matches(password: str, stored: str | None, renew: Callable[[str], None]) -> bool:
    """Whether `stored` is the hash of `password`. If so, and if its kind is outdated, `renew` gets a new hash.

    `stored` None stands for a name that nobody has: the function then takes the same time and returns False.
    """
    if stored is None:
        hash_password(password)
        return False
    outdated = False

    def set_outdated(_: str) -> None:
        nonlocal outdated
        outdated = True

    matches = _in_pool(lambda: check_password(password, stored, setter=set_outdated))
    if matches and outdated:
        renew(hash_password(password))
    return matches


def _in_pool(work: Callable[[], R]) -> R:
    return _pool.submit(work, turns.current.get()).result()
