"""The reader's language, of those in LANGUAGES."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language_from_request


def language_asked(request: HttpRequest) -> str:
    """The language that the reader chose on the pages, or that `Accept-Language` asks for; "" where neither says any.

    The default, where that is none of ours.
    """
    is_told = settings.LANGUAGE_COOKIE_NAME in request.COOKIES or request.headers.get("Accept-Language")
    return get_language_from_request(request) if is_told else ""
