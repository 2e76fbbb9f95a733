"""What stands before the pages: the server's front door, and the reader's language."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import redirect
from django.utils import translation
from django.utils.cache import patch_vary_headers

#: The pages are below this path.
PREFIX = "/app/"
COMPRESSED = (PREFIX, "/static/")


class FrontDoor:
    """Leads a person who opens the server's address to the pages. A program that asks for `/` gets what it got."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path != "/" or request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        # A browser names HTML; clients of protocols ask for anything, or for JSON.
        response = redirect(PREFIX) if "text/html" in request.headers.get("Accept", "") else self.get_response(request)
        patch_vary_headers(response, ("Accept",))
        return response


class Compression(GZipMiddleware):
    """Compresses pages and the files that they need: a board of 300 students is a twentieth. Protocols are left alone.

    Django's middleware adds bytes at random, so that the length of an answer tells nothing of a secret in it.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(COMPRESSED):
            return self.get_response(request)  # type: ignore[return-value]  # never async: Django is served as WSGI
        return super().__call__(request)  # type: ignore[return-value]


class Languages(LocaleMiddleware):
    """The reader's language, on the paths of TRANSLATED.

    Django's middleware leaves it to the thread, for whoever is next; this one takes it back.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(settings.TRANSLATED):
            return self.get_response(request)  # type: ignore[return-value]  # never async: Django is served as WSGI
        try:
            return super().__call__(request)  # type: ignore[return-value]
        finally:
            translation.deactivate()
