"""Devices on which an account has signed in before. `accounts.limits` counts wrong passwords apart for such a device.

A signed cookie names the device and its accounts. A client that keeps no cookie may send the token of an earlier
sign-in in `Authorization` instead, though the token has expired. Neither signs anybody in.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, parse_cookie
from django.http.response import HttpResponseBase

from accounts import tokens

COOKIE = "attendance_device"
#: Browsers keep no cookie for longer.
LIFETIME = timedelta(days=400)
#: The cookie remembers this many accounts, those that signed in last: enough for a family's tablet.
ACCOUNTS = 10

_SALT = "accounts.devices"


@dataclass(slots=True)
class Device:
    """A client's device: the accounts that signed in on it before, and those that sign in now."""

    id: str = field(default_factory=lambda: secrets.token_hex(16))
    #: The ids of the accounts, the last to sign in at the end.
    accounts: list[str] = field(default_factory=list)
    #: What the token of an earlier sign-in says.
    token: tokens.Claims | None = None
    changed: bool = False
    #: Whether the client has sent the cookie.
    is_known: bool = False

    @property
    def known_id(self) -> str | None:
        """The device's id, if the client has kept its cookie."""
        return self.id if self.is_known else None

    @classmethod
    def of(cls, request: HttpRequest) -> "Device":
        """The device of the request's cookie, or of its token; a new device if neither has a good signature."""
        token = tokens.earlier_sign_in(request.META.get("HTTP_AUTHORIZATION", ""))
        try:
            shown = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LIFETIME)
        except signing.BadSignature:
            return cls(token=token)
        return cls(shown["device"], shown["accounts"], token, is_known=True)

    def id_for(self, user_id: str) -> str | None:
        """This device's id for `accounts.limits.guess`; None if the account has not signed in on this device."""
        if user_id in self.accounts:
            return self.id
        return self.token.token_id if self.token is not None and self.token.user_id == user_id else None

    def remember(self, user_id: str) -> None:
        """Notes that the account has just signed in."""
        self.accounts = [*(known for known in self.accounts if known != user_id), user_id][-ACCOUNTS:]
        self.changed = True

    def save_to(self, response: HttpResponseBase, *, secure: bool) -> None:
        """Sets the cookie if the device has changed."""
        if self.changed:
            value = signing.dumps({"device": self.id, "accounts": self.accounts}, salt=_SALT)
            response.set_cookie(
                COOKIE,
                value,
                max_age=LIFETIME,
                secure=secure or settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )


def device_of_headers(headers: Mapping[bytes, bytes]) -> str | None:
    """The id of the device whose cookie is in a handshake's headers; None without a good one."""
    cookie = parse_cookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE, "")
    try:
        return str(signing.loads(cookie, salt=_SALT, max_age=LIFETIME)["device"])
    except signing.BadSignature:
        return None


class KnowsDevice:
    """Mixin for an API view that signs a person in: `device` is the client's, and the answer sets its cookie."""

    request: Any

    @cached_property
    def device(self) -> Device:
        return Device.of(self.request)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        self.device.save_to(answer, secure=request.is_secure())
        return answer
