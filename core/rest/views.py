"""The base of every API view."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from django.http import HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import errors
from core.identity import Actor
from core.rest.envelope import canonical_error
from core.rest.parsers import FormWithFile
from core.rest.permissions import Audience
from core.rest.serializers import InputSerializer

#: In a request's `META`: the failure that the quick way has met, which the plain way need not wait for again.
FAILURE = "attendance.failure"


class ApiView(APIView):
    """A view that names its `audience`. A method that the view does not have is a 405, also without a token.

    `core.rest.openapi` makes the OpenAPI document from the attributes below.
    """

    audience: ClassVar[Audience]
    #: The serializer of the request's body, for `read`; None for a route without a body.
    body: ClassVar[type[InputSerializer] | None] = None
    #: The serializer of a body that brings a file (`multipart/form-data`), where the route takes one.
    form: ClassVar[type[InputSerializer] | None] = None
    #: Parameter of the query → what it is. All are required.
    query: ClassVar[Mapping[str, str]] = {}
    #: Parameter of the query that may be left out → its type and what it is.
    filters: ClassVar[Mapping[str, tuple[type, str]]] = {}
    #: Header that a client may send → what it is.
    takes_headers: ClassVar[Mapping[str, str]] = {}
    #: Status → the serializer or type of the answer, or a list of one; None for an answer without a body.
    answers: ClassVar[Mapping[int, Any]] = {}
    #: Media types that a success may have besides: the query chooses.
    media_types: ClassVar[tuple[str, ...]] = ()
    #: The errors of this view, without those that follow from `audience` and `body`.
    raises: ClassVar[tuple[type[errors.ApiError], ...]] = ()
    #: The protocol that the route belongs to.
    protocol: ClassVar[str] = "canonical"
    #: Whether the view shows people though its path has no parameter, so that the audit log has who reads it.
    shows_people: ClassVar[bool] = False
    #: Whether the view fails while the database is away.
    needs_database: ClassVar[bool] = True
    #: Whether a POST takes long (a password is hashed or a mail is sent). Such requests have threads of their own.
    slow: ClassVar[bool] = False
    #: Whether the answer takes long to reckon, since it is about a whole class or file. Such requests wait for a few
    #: threads, so that they leave the processor to lessons.
    heavy: ClassVar[bool] = False
    #: Whether the view is asked by a whole class at once, and its successes are answered the quick way
    #: (`core.rest.quick`). Such a view overrides nothing of DRF's machinery but what this class does.
    quick: ClassVar[bool] = False

    @property
    def actor(self) -> Actor:
        """The person who asks. Only for routes that need a token."""
        return cast(Actor, self.request.user)

    @property
    def address(self) -> str | None:
        """The address that the request comes from, or None if it is not known."""
        return self.request.META.get("REMOTE_ADDR")

    @property
    def credential(self) -> str | None:
        """The name, in the OpenAPI document, of what goes into `Authorization`; None for a route that needs nothing."""
        return None if self.audience is Audience.ANYONE else "token"

    def read(self) -> dict[str, Any]:
        """The validated fields of the request's body. Raises `InvalidSchema` for a body that is not valid."""
        data = self.request.data  # raises for a media type that the route does not take
        return cast(type[InputSerializer], self.form if self.brings_file else self.body).read(data)

    @property
    def brings_file(self) -> bool:
        """Whether the request's body is a form."""
        return (self.request.content_type or "").lower().startswith(FormWithFile.media_type)

    def get_parsers(self) -> list[BaseParser]:
        parsers = list(super().get_parsers()) if self.body is not None or self.form is None else []
        return [*parsers, FormWithFile()] if self.form is not None else parsers

    def tagged(self, answer: Callable[[], HttpResponseBase], tag: str) -> HttpResponseBase:
        """What `answer` makes, with the `ETag` `tag`; 304 for a client that has this tag already."""
        known = [one.removeprefix("W/") for one in parse_etags(self.request.META.get("HTTP_IF_NONE_MATCH", ""))]
        response = HttpResponseNotModified() if tag in known or known == ["*"] else answer()
        response["ETag"] = tag
        # Only the client may keep the answer, and must ask before each use.
        response["Cache-Control"] = "private, no-cache"
        return response

    def worded(self, error: errors.ApiError) -> tuple[int, Any]:
        """The status and body of a failure. The views of a dialect override this."""
        return canonical_error(error)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """No authenticators on a route for anyone, so that an expired token keeps nobody from signing in."""
        return [] if self.audience is Audience.ANYONE else list(super().get_authenticators())

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not hasattr(self, (request.method or "").lower()):
            raise errors.MethodNotAllowed
        if (failure := request.META.get(FAILURE)) is not None:
            raise failure
        super().initial(request, *args, **kwargs)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The methods of this route."""
        return Response({"methods": self.allowed_methods})
