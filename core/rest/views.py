"""The base of every API view."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.http import HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import errors
from core.identity import Actor
from core.rest.envelope import canonical_error
from core.rest.permissions import Audience
from core.rest.serializers import InputSerializer


class ApiView(APIView):
    """A view that names its `audience`. An unknown method is a 405 before anybody asks for a token.

    `core.rest.openapi` makes the document of what a view names here.
    """

    audience: ClassVar[Audience]
    #: What the route takes, for `read`; None: no body.
    body: ClassVar[type[InputSerializer] | None] = None
    #: The parameters of the query, all needed, and what they are.
    query: ClassVar[Mapping[str, str]] = {}
    #: Status → serializer, type or list of one that the view answers; None: no body.
    answers: ClassVar[Mapping[int, Any]] = {}
    #: What it refuses besides what `audience` and `body` bring along.
    raises: ClassVar[tuple[type[errors.ApiError], ...]] = ()
    #: Whose route it is.
    protocol: ClassVar[str] = "canonical"
    #: Whether it fails with the database.
    needs_database: ClassVar[bool] = True
    #: Whether its POST waits for what takes long, a password's hash or a mail: then it does so among its like.
    slow: ClassVar[bool] = False

    @property
    def actor(self) -> Actor:
        """Who asks, on a route that needs a token."""
        return cast(Actor, self.request.user)

    @property
    def address(self) -> str | None:
        """Where the request comes from."""
        return self.request.META.get("REMOTE_ADDR")

    @property
    def credential(self) -> str | None:
        """What goes into `Authorization`, by its name in the document."""
        return None if self.audience is Audience.ANYONE else "token"

    def read(self) -> dict[str, Any]:
        """The request's body by `body`; `InvalidSchema` for one that it does not take."""
        return cast(type[InputSerializer], self.body).read(self.request.data)

    def tagged(self, data: Any, tag: str) -> HttpResponseBase:
        """`data` under its `ETag`, or 304 for a client that has it already."""
        known = [one.removeprefix("W/") for one in parse_etags(self.request.headers.get("If-None-Match", ""))]
        response = HttpResponseNotModified() if tag in known or known == ["*"] else Response(data)
        response["ETag"] = tag
        response["Cache-Control"] = "private, no-cache"  # kept by the client alone, which asks each time
        return response

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
