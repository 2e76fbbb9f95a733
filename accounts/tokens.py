"""Tokens: JWT HS256 signed with JWT_SECRET. `authenticate` turns a raw token into an Actor, for every transport.

This server's tokens live 24 hours and carry `userId`, `id`, `role`, `iat`, `exp`, `ver` and `jti`. `ver` is the user's
`token_version`; `jti` makes two sign-ins within one second two tokens. A token that another service made with the same
secret has no `ver`. Such a token is good unless the user's credentials changed after the second in which the token was
made. Signing out voids one token, whoever made it (`VoidedToken`), or all of a person's, or those of one browser's
sign-in, which share the claim `sid` and live ten minutes. A token whose `token_type` is another than `access` signs
nobody in.

simplejwt signs the tokens, and PyJWT, the library beneath it, verifies them. `TokenBackend.decode` passes none of
PyJWT's options on, so it would refuse another service's token whose `sub` or `jti` is a number.
"""

import functools
import hashlib
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from django.db.models import F
from rest_framework_simplejwt.backends import TokenBackend

from accounts.models import User, VoidedToken, announce_change, second_of
from accounts.standing import role_that_counts
from core import errors
from core.database.batches import batches
from core.database.prepared import Prepared
from core.database.unit_of_work import retry_races, unit_of_work
from core.identity import Actor
from core.ids import parse_id
from core.times import now

LIFETIME = 24 * 60 * 60  # seconds
#: The lifetime of a token for a page of a browser, seconds.
PAGE_LIFETIME = 10 * 60

#: The claims that may name a token's user. The first of them that a token has counts.
_USER_CLAIMS = ("userId", "id", "_id", "sub")
_USER_COLUMNS = (
    *("id", "name", "email", "role", "is_active", "is_superuser", "token_version", "credentials_changed_at"),
    *("tokens_voided_until", "origin", "email_verified_at"),
)
_user = Prepared(lambda user_id: User.objects.filter(pk=user_id).order_by().values_list(*_USER_COLUMNS))

#: No `exp` is beyond this, seconds since 1970: JavaScript's last day.
_END_OF_TIME = 8.64e12

#: No time in the database is beyond this, seconds since 1970: the last second of the year 9999.
_END_OF_CALENDAR = 253_402_300_799

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
    #: A digest of what is signed. The signature is left out, since one signature has several spellings.
    token_id: str
    #: A digest of what the tokens of one browser's sign-in share.
    browser_id: str | None = None


def issue(user: User) -> str:
    """A token for `user`, good for LIFETIME."""
    return _issue(user, LIFETIME)


def issue_to_page(user: User, browser: str) -> str:
    """A token for a page of the browser whose sign-in has the secret `browser`, good for PAGE_LIFETIME."""
    return _issue(user, PAGE_LIFETIME, sid=browser)


def _issue(user: User, lifetime: int, **more: str) -> str:
    moment = int(time.time())
    return _backend.encode(
        {
            **more,
            "userId": user.id,
            "id": user.id,
            "role": user.role,
            "ver": user.token_version,
            "iat": moment,
            "exp": moment + lifetime,
            "jti": uuid.uuid4().hex,
        }
    )


def read(raw: str, secret: str | None = None) -> Claims:
    """The claims of a raw token, with or without `Bearer ` before the token; `Unauthorized` for a bad token.

    `secret` is the secret of the token's signature; None stands for JWT_SECRET.
    """
    claims = _verified(_bare(raw), secret or settings.JWT_SECRET)
    if int(claims.expires_at) <= time.time():
        raise errors.Unauthorized
    return claims


def earlier_sign_in(raw: str) -> Claims | None:
    """What a token says that was good once, though it has expired or is void; None for any other text.

    It proves that whoever sends it has signed in before, and nothing else.
    """
    try:
        return _decoded(_bare(raw), settings.JWT_SECRET, verify_exp=False)
    except errors.Unauthorized:
        return None


def _bare(raw: str) -> str:
    scheme, _, rest = raw.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else raw.strip()


@functools.lru_cache(maxsize=10_000)
def _verified(token: str, secret: str) -> Claims:
    """The claims of a token whose signature is good; `Unauthorized` for another.

    Good signatures stay good, so they are remembered, and `read` asks at each use whether the token has expired.
    A refusal is not remembered: the token of a clock that is ahead becomes good.
    """
    return _decoded(token, secret)


def _decoded(token: str, secret: str, **options: bool) -> Claims:
    decoding: Any = {**_DECODE_OPTIONS, **options}
    try:
        payload: dict[str, Any] = jwt.decode(token, secret, ["HS256"], options=decoding, leeway=CLOCK_LEEWAY)
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
        or payload.get("token_type", "access") != "access"
    ):
        raise errors.Unauthorized
    signed = token.rpartition(".")[0]
    token_id = hashlib.sha256(signed.encode()).hexdigest()
    browser = payload.get("sid")
    browser_id = _browser_id(browser) if isinstance(browser, str) else None
    return Claims(user_id, role and role.lower(), version, issued_at, float(expires_at), token_id, browser_id)


def _browser_id(browser: str) -> str:
    return hashlib.sha256(f"browser {browser}".encode()).hexdigest()


def authenticate(raw: str, secret: str | None = None) -> tuple[Actor, Claims]:
    """The person whom a raw token stands for, and the token's claims. Costs one signature and one indexed read, and
    another read for somebody who has signed out on a device whose token would still be good.

    Raises `Unauthorized` for a token that is not good (any more), and its subclass `UserGone` for a deleted account.
    """
    claims = read(raw, secret)
    row = _user.first(claims.user_id)
    if row is None:
        raise errors.UserGone
    user = dict(zip(_USER_COLUMNS, row, strict=True))
    if not _holds(claims, user) or (_has_voided(user) and _is_void(claims, _voided(_keys(claims)))):
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
    gone = {claim for claim in asked if claim.user_id not in users or not _holds(claim, users[claim.user_id])}
    doubtful = [claim for claim in asked if claim not in gone and _has_voided(users[claim.user_id])]
    voided = _voided(list({key for claim in doubtful for key in _keys(claim)}))
    return gone | {claim for claim in doubtful if _is_void(claim, voided)}


def void(claims: Claims) -> None:
    """The token that says `claims` is good no more, and its sockets close; the person's other tokens stay good."""
    until = datetime.fromtimestamp(min(claims.expires_at, _END_OF_CALENDAR), UTC)
    _void(claims.user_id, claims.token_id, until)


def void_pages(user_id: str, browser: str) -> None:
    """No token that a page of this browser's sign-in has got is good any more, and their sockets close."""
    # Twice the lifetime: a page may be getting another token at this moment.
    _void(user_id, _browser_id(browser), now() + timedelta(seconds=2 * PAGE_LIFETIME))


@retry_races
@unit_of_work
def _void(user_id: str, key: str, until: datetime) -> None:
    VoidedToken.objects.filter(expires_at__lt=now()).delete()
    VoidedToken.objects.get_or_create(key=key, defaults={"user_id": user_id, "expires_at": until})
    users = User.objects.filter(pk=user_id)
    users.exclude(tokens_voided_until__gte=until).update(tokens_voided_until=until)
    announce_change()


@unit_of_work
def void_all(user_id: str) -> None:
    """No token of this person that was made until now is good any more, nor a session at the admin."""
    User.objects.filter(pk=user_id).update(token_version=F("token_version") + 1, credentials_changed_at=now())
    announce_change()


def _has_voided(user: dict[str, Any]) -> bool:
    return user["tokens_voided_until"] is not None and user["tokens_voided_until"] > now()


def _keys(claims: Claims) -> list[str]:
    """By what a token may be void: itself, and the sign-in of its browser."""
    return [claims.token_id] if claims.browser_id is None else [claims.token_id, claims.browser_id]


def _is_void(claims: Claims, voided: set[str]) -> bool:
    return not voided.isdisjoint(_keys(claims))


def _voided(keys: list[str]) -> set[str]:
    found: set[str] = set()
    for some in batches(keys):
        found.update(VoidedToken.objects.filter(pk__in=some).values_list("key", flat=True))
    return found


def _holds(claims: Claims, user: dict[str, Any]) -> bool:
    """Whether the account, as its row is now, still stands behind the claims."""
    if not user["is_active"] or claims.role not in (None, user["role"]):
        return False
    if claims.version is not None:
        return bool(claims.version == user["token_version"])
    changed_at = user["credentials_changed_at"]
    return changed_at is None or (claims.issued_at is not None and claims.issued_at >= second_of(changed_at))
