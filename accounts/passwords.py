"""Passwords: bcrypt over SHA-256, ten rounds, in a small pool of its own.

SHA-256 first, because bcrypt alone reads no more than 72 bytes. A pool of its own, because a hash takes 68 ms:
50 threads of it delay the event loop by 26 ms at p99, one by 0.9. The pool serves accounts in turn (`core.turns`), so
that a flood of sign-ins to one account does not delay another's.
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

from core import turns
from core.turns import FairPool

R = TypeVar("R")

#: One core stays with the event loop.
_pool = FairPool(min(4, max(1, (os.cpu_count() or 2) - 1)), "bcrypt")


class BcryptHasher(BCryptSHA256PasswordHasher):
    """`bcrypt_sha256$…` with 10 rounds, the cost that the published systems use."""

    rounds = 10


class PlainBcryptHasher(BCryptPasswordHasher):
    """`bcrypt$…`: bcrypt of the password itself, as the published systems store it. Kept until its owner logs in."""

    def encode(self, password: str, salt: Any) -> str:
        # Of a longer password those systems hashed the first 72 bytes; this library refuses it.
        return f"{self.algorithm}${bcrypt.hashpw(password.encode()[:72], salt).decode()}"


#: A hash of a higher cost takes seconds to check, which the other logins would wait for.
HIGHEST_COST = 15
#: The salt's last digit has two bits: with more of them the library refuses the hash, at each login.
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}\Z", re.ASCII)


def from_bcrypt(hashed: str) -> str | None:
    """What to store for a bcrypt hash (`$2a$`, `$2b$`, `$2y$`) made elsewhere; None for one that cannot be checked."""
    found = _BCRYPT.match(hashed)
    return f"bcrypt${hashed}" if found and 4 <= int(found[1]) <= HIGHEST_COST else None


#: No letters that are mistaken for others on paper, and none that a spreadsheet takes for a formula.
_UNMISTAKABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def password_make() -> str:
    """A random password of twelve letters and digits, about 59 bits."""
    return "".join(secrets.choice(_UNMISTAKABLE) for _ in range(12))


def hash_password(password: str) -> str:
    """The hash to store for `password`. Waits for its turn in the pool, then about 70 ms."""
    return _in_pool(lambda: make_password(password))


def password_matches(password: str, stored: str | None, renew: Callable[[str], None]) -> bool:
    """Whether `stored` is the hash of `password`; `renew` gets a fresh hash where `stored` is an outdated one.

    With no hash to compare (`stored` None, nobody of that name) it takes the same time and says False.
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
