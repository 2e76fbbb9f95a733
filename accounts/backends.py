"""The authentication backend of Django's own sign-in: pages check passwords by `accounts.credentials`."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.credentials import account_named, password_is_right
from accounts.models import User


class PasswordBackend(ModelBackend):
    """Checks e-mail and password, with the same limits and the same pool of hashes as the routes.

    Raises `TooManyRequests`, which the sign-in form shows. A page that knows the client's device (`accounts.devices`)
    sets it as `request.device`.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        user = User.objects.by_email(username)
        right = password_is_right(
            user,
            named=account_named(email=username),
            password=password,
            address=request.META.get("REMOTE_ADDR") if request is not None else None,
            device=getattr(request, "device", None),
        )
        return user if right else None
