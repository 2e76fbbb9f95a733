"""Tokens: JWT HS256 signed with JWT_SECRET. One function turns a raw token into an Actor, for every transport.

Ours live 24 hours and carry `userId`, `id`, `role`, `iat`, `exp` and `ver`, the user's `token_version`. A
token made elsewhere with the same secret has no `ver`; it is good unless the user's credentials changed after
the second it was made in.
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
from core import errors
from core.database.prepared import Prepared
from core.identity import Actor, Role
from core.ids import parse_id

LIFETIME = 24 * 60 * 60  # seconds

#: Where a token may name its user, in the order in which they are asked.
_USER_CLAIMS = ("userId", "id", "_id", "sub")
_USER_COLUMNS = ("id", "name", "email", "role", "is_active", "is_superuser", "token_version", "credentials_changed_at")
_user = Prepared(lambda user_id: User.objects.filter(pk=user_id).order_by().values_list(*_USER_COLUMNS))

#: No `exp` is beyond this, seconds since 1970: JavaScript's last day.
_END_OF_TIME = 8.64e12

_backend = TokenBackend("HS256", signing_key=settings.JWT_SECRET)

#: Signature and `exp` decide (and `nbf`, where there is one). The backend's own reading would also refuse an `iat`
#: of the future, which a service whose clock is a second ahead writes, and a `sub` or `jti` that is no string.
_DECODE_OPTIONS: Any = {
    "require": ["exp"],
    **dict.fromkeys(("verify_iat", "verify_sub", "verify_jti", "verify_aud", "verify_iss"), False),
}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says; its signature and `exp` (seconds since 1970) are good."""

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
    """The claims of a raw token, with or without `Bearer ` before it; `Unauthorized` for a bad one.

    `secret` is what it is signed with, JWT_SECRET where there is none.
    """
    scheme, _, rest = raw.strip().partition(" ")
    token = rest.strip() if scheme.lower() == "bearer" else raw.strip()
    claims = _verified(token, secret or settings.JWT_SECRET)
    if int(claims.expires_at) <= time.time():
        raise errors.Unauthorized
    return claims


@functools.lru_cache(maxsize=10_000)
def _verified(token: str, secret: str) -> Claims:
    """The claims of a token whose signature and times are good now; who is told no is not remembered.

    A signature stays good, so a token is worked out once and then only asked whether it has expired.
    """
    try:
        payload: dict[str, Any] = jwt.decode(token, secret, ["HS256"], options=_DECODE_OPTIONS)
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
        or not isinstance(version, (int, type(None)))
        or not isinstance(role, (str, type(None)))
    ):
        raise errors.Unauthorized
    return Claims(user_id, role and role.lower(), version, issued_at, float(expires_at))


def authenticate(raw: str, secret: str | None = None) -> tuple[Actor, Claims]:
    """Who a raw token stands for: one signature and one indexed read.

    `Unauthorized` if nobody; `UserGone`, which is one, if the account is deleted.
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
        role=Role(user["role"]),
        name=user["name"],
        email=user["email"],
        is_superuser=user["is_superuser"],
    )
    return actor, claims


def revoked(claims: Iterable[Claims]) -> set[Claims]:
    """Those of `claims` that were good once and are not any more (expiry aside)."""
    asked = list(claims)
    users = {}
    ids = list({claim.user_id for claim in asked})
    for start in range(0, len(ids), 500):
        rows = User.objects.filter(pk__in=ids[start : start + 500]).values(*_USER_COLUMNS)
        users.update({row["id"]: row for row in rows})
    return {claim for claim in asked if claim.user_id not in users or not _holds(claim, users[claim.user_id])}


def _holds(claims: Claims, user: dict[str, Any]) -> bool:
    if not user["is_active"] or claims.role not in (None, user["role"]):
        return False
    if claims.version is not None:
        return bool(claims.version == user["token_version"])
    changed_at = user["credentials_changed_at"]
    return changed_at is None or (claims.issued_at is not None and claims.issued_at >= second_of(changed_at))
