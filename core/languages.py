"""The reader's language, of those in LANGUAGES."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, parse_cookie
from django.utils.translation import get_language_from_request


def language_asked(request: HttpRequest) -> str:
    """The language that the reader chose on the pages, or that `Accept-Language` asks for; "" where neither says any.

    The default, where that is none of ours.
    """
    is_told = settings.LANGUAGE_COOKIE_NAME in request.COOKIES or request.headers.get("Accept-Language")
    return get_language_from_request(request) if is_told else ""


def language_of_headers(headers: Mapping[bytes, bytes]) -> str:
    """The language that a handshake's headers ask for, as those of a request do.

    The default where they ask for none, or for none of ours.
    """
    request = HttpRequest()
    request.COOKIES = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", b"").decode("latin-1")
    return get_language_from_request(request)
