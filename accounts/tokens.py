"""Tokens: JWT HS256 signed with JWT_SECRET. `authenticate` turns a raw token into an Actor, for every transport.

This server's tokens live 24 hours and carry `userId`, `id`, `role`, `iat`, `exp` and `ver`, which is the user's
`token_version`. A token that another service made with the same secret has no `ver`. Such a token is good unless the
user's credentials changed after the second in which the token was made.

simplejwt signs the tokens, and PyJWT, the library beneath it, verifies them. `TokenBackend.decode` passes none of
PyJWT's options on, so it would refuse another service's token whose `sub` or `jti` is a number.
"""

import functools
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend

from accounts.models import User, second_of
from accounts.standing import role_that_counts
from core import errors
from core.database.batches import batches
from core.database.prepared import Prepared
from core.identity import Actor
from core.ids import parse_id

LIFETIME = 24 * 60 * 60  # seconds

#: The claims that may name a token's user. The first of them that a token has counts.
_USER_CLAIMS = ("userId", "id", "_id", "sub")
_USER_COLUMNS = (
    *("id", "name", "email", "role", "is_active", "is_superuser", "token_version", "credentials_changed_at"),
    *("origin", "email_verified_at"),
)
_user = Prepared(lambda user_id: User.objects.filter(pk=user_id).order_by().values_list(*_USER_COLUMNS))

#: No `exp` is beyond this, seconds since 1970: JavaScript's last day.
_END_OF_TIME = 8.64e12

#: The clocks of two machines may differ by this much, seconds: a token may be made, or become good, so far ahead of
#: this server's time. A token expires by this server's clock, to the second.
CLOCK_LEEWAY = 30

_backend = TokenBackend("HS256", signing_key=settings.JWT_SECRET)

#: PyJWT checks the signature, `exp`, and `nbf` where there is one. The types of the other claims are no reason to
#: refuse a token; `_verified` checks those that this server uses.
_DECODE_OPTIONS: Any = {
    "require": ["exp"],
    **dict.fromkeys(("verify_iat", "verify_sub", "verify_jti", "verify_aud", "verify_iss"), False),
}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good token says. Times are seconds since 1970; what the token does not say is None."""

    user_id: str
    role: str | None
    version: int | None
    issued_at: float | None
    expires_at: float


def issue(user: User) -> str:
    """A token for `user`, good for LIFETIME."""
    now = int(time.time())
    return _backend.encode(
        {
            "userId": user.id,
            "id": user.id,
            "role": user.role,
            "ver": user.token_version,
            "iat": now,
            "exp": now + LIFETIME,
        }
    )


def read(raw: str, secret: str | None = None) -> Claims:
    """The claims of a raw token, with or without `Bearer ` before the token; `Unauthorized` for a bad token.

    `secret` is the secret of the token's signature; None stands for JWT_SECRET.
    """
    scheme, _, rest = raw.strip().partition(" ")
    token = rest.strip() if scheme.lower() == "bearer" else raw.strip()
    claims = _verified(token, secret or settings.JWT_SECRET)
    if int(claims.expires_at) <= time.time():
        raise errors.Unauthorized
    return claims


@functools.lru_cache(maxsize=10_000)
def _verified(token: str, secret: str) -> Claims:
    """The claims of a token whose signature is good; `Unauthorized` for another.

    Good signatures stay good, so they are remembered, and `read` asks at each use whether the token has expired.
    A refusal is not remembered: the token of a clock that is ahead becomes good.
    """
    try:
        payload: dict[str, Any] = jwt.decode(token, secret, ["HS256"], options=_DECODE_OPTIONS, leeway=CLOCK_LEEWAY)
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        raise errors.Unauthorized from None
    user_id = next((parse_id(payload[claim]) for claim in _USER_CLAIMS if claim in payload), None)
    version, role = payload.get("ver"), payload.get("role")
    issued_at, expires_at = payload.get("iat"), payload.get("exp")
    if (
        user_id is None
        or not isinstance(expires_at, (int, float))
        or abs(expires_at) > _END_OF_TIME
        or not isinstance(issued_at, (int, float, type(None)))
        or (issued_at or 0) > time.time() + CLOCK_LEEWAY
        or not isinstance(version, (int, type(None)))
        or not isinstance(role, (str, type(None)))
    ):
        raise errors.Unauthorized
    return Claims(user_id, role and role.lower(), version, issued_at, float(expires_at))


def authenticate(raw: str, secret: str | None = None) -> tuple[Actor, Claims]:
    """The person whom a raw token stands for, and the token's claims. Costs one signature and one indexed read.

    Raises `Unauthorized` for a token that is not good (any more), and its subclass `UserGone` for a deleted account.
    """
    claims = read(raw, secret)
    row = _user.first(claims.user_id)
    if row is None:
        raise errors.UserGone
    user = dict(zip(_USER_COLUMNS, row, strict=True))
    if not _holds(claims, user):
        raise errors.Unauthorized
    actor = Actor(
        id=user["id"],
        role=role_that_counts(
            role=user["role"], origin=user["origin"], is_proved=user["email_verified_at"] is not None
        ),
        name=user["name"],
        email=user["email"],
        is_superuser=user["is_superuser"],
    )
    return actor, claims


def revoked(claims: Iterable[Claims]) -> set[Claims]:
    """Those of `claims` that stand for nobody any more, because the account changed. Expiry is not checked."""
    asked = list(claims)
    users = {}
    ids = list({claim.user_id for claim in asked})
    for some in batches(ids):
        rows = User.objects.filter(pk__in=some).values(*_USER_COLUMNS)
        users.update({row["id"]: row for row in rows})
    return {claim for claim in asked if claim.user_id not in users or not _holds(claim, users[claim.user_id])}


def _holds(claims: Claims, user: dict[str, Any]) -> bool:
    """Whether the account, as its row is now, still stands behind the claims."""
    if not user["is_active"] or claims.role not in (None, user["role"]):
        return False
    if claims.version is not None:
        return bool(claims.version == user["token_version"])
    changed_at = user["credentials_changed_at"]
    return changed_at is None or (claims.issued_at is not None and claims.issued_at >= second_of(changed_at))
