"""Middleware: which origins and hosts may be asked, every answer's headers, the longest body, and what pages need."""

from collections.abc import Callable
from typing import ClassVar
from urllib.parse import SplitResult

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware

from core import errors, hosts, origins
from core.rest.envelope import HTML_PREFIXES, error_response


class Origins(CorsMiddleware):
    """Answers 403 to origins that `core.origins` refuses, and adds CORS headers for the others. The admin has neither.

    The route answers a preflight, and the headers are added here. The library's own answer to a preflight would have no
    body, and would allow routes that do not exist.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(HTML_PREFIXES):
            return self.get_response(request)  # type: ignore[return-value]  # never async: Django is served as WSGI
        if not origins.may_ask(request.headers.get("Origin", ""), request.headers.get("Host", "")):
            return error_response(request, errors.Forbidden())
        return self.add_response_headers(request, self.get_response(request))  # type: ignore[arg-type]

    def origin_found_in_white_lists(self, origin: str, url: SplitResult) -> bool:
        """True: a refused origin was answered before the library asks this."""
        return True


class KnownHosts(CommonMiddleware):
    """Django's: it refuses a `Host` that is not in ALLOWED_HOSTS. The health routes answer whatever the `Host`."""

    def process_request(self, request: HttpRequest) -> HttpResponseBase | None:  # type: ignore[override]
        return None if request.path in hosts.ANY_HOST_PATHS else super().process_request(request)


#: With DEBUG on, the answers of these statuses in the admin are Django's own pages, which have everything inline.
_DEBUG_PAGES = (404, 500)


class AnswerHeaders:
    """What answers say in headers: a policy on every HTML page, `no-store` on JSON and files, `Secure` on cookies
    over HTTPS.

    A view that has said something of its own keeps that.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.policy = "; ".join(f"{name} {' '.join(sources)}" for name, sources in settings.SECURE_CSP.items())

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        kind = response.get("Content-Type", "")
        if kind.startswith("application/json") or "attachment" in response.get("Content-Disposition", ""):
            response.setdefault("Cache-Control", "no-store")
        elif kind.startswith("text/html") and not (settings.DEBUG and response.status_code in _DEBUG_PAGES):
            response.setdefault("Content-Security-Policy", self.policy)
        if response.cookies and request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class EnvelopeInDebug:
    """Turns Django's own pages for unknown routes and crashes, which it sends with DEBUG on, into the envelope.

    The traceback is in the log.
    """

    answers: ClassVar = {error.status: error for error in (errors.BadRequest, errors.Forbidden, errors.NotFound)}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.DEBUG:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or request.path.startswith(HTML_PREFIXES):
            return response
        if response.get("Content-Type", "").startswith("application/json"):
            return response
        return error_response(request, self.answers.get(response.status_code, errors.InternalError)())


class _ForPages:
    """Mixin for a middleware that only pages for people need. On the routes of protocols it would cost time."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(HTML_PREFIXES):
            return super().__call__(request)  # type: ignore[misc,no-any-return]
        return self.get_response(request)  # type: ignore[attr-defined,no-any-return]


class PageSessions(_ForPages, SessionMiddleware):
    """Django's sessions, on pages only."""


class PageCsrf(_ForPages, CsrfViewMiddleware):
    """Protects the forms of pages. Routes take no cookie that another site could abuse."""


class PageUsers(_ForPages, AuthenticationMiddleware):
    """Says on pages who is signed in."""


class PageMessages(_ForPages, MessageMiddleware):
    """Carries messages from one page to the next."""


class BodyLimit:
    """Answers 413 to a body over `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes, by its header or as the bridge counted it.

    A body that the server had no room for is answered as the server says.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refusal = request.META.get(errors.REFUSAL)
        if refusal is not None:
            return error_response(request, refusal)
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            return error_response(request, errors.BadRequest())
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return error_response(request, errors.PayloadTooLarge())
        return self.get_response(request)
