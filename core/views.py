"""The base of every API view."""

from typing import Any, ClassVar, cast

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import errors
from core.access import Audience
from core.envelope import canonical_error
from core.identity import Actor


class ApiView(APIView):
    """A view that names its `audience`. An unknown method is a 405 before anybody asks for a token."""

    audience: ClassVar[Audience]

    @property
    def actor(self) -> Actor:
        """Who asks, on a route that needs a token."""
        return cast(Actor, self.request.user)

    def error_form(self, error: errors.ApiError) -> tuple[int, Any]:
        """This view's form of a failure, its status and body; a dialect's views have their own."""
        return canonical_error(error)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """None where anyone may come: a worn-out token must not keep anybody from signing in."""
        return [] if self.audience is Audience.ANYONE else list(super().get_authenticators())

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not hasattr(self, (request.method or "").lower()):
            raise errors.MethodNotAllowed
        super().initial(request, *args, **kwargs)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The methods of this route."""
        return Response({"methods": self.allowed_methods})
