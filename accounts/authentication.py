"""Authentication of REST requests: `request.user` is the Actor of the `Authorization` header, None without a header."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import tokens
from core.identity import Actor


class TokenAuthentication(BaseAuthentication):
    """Takes `Authorization: <token>` and `Authorization: Bearer <token>`. A bad token is a 401."""

    def authenticate(self, request: Request) -> tuple[Actor, tokens.Claims] | None:
        raw = request.META.get("HTTP_AUTHORIZATION")
        return tokens.authenticate(raw) if raw else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
