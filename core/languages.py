"""The reader's language, of those in LANGUAGES."""

from django.http import HttpRequest
from django.utils.translation import get_language_from_request


def language_asked(request: HttpRequest) -> str:
    """The language that `Accept-Language` asks for, or the default where it has none of ours; "" without the header."""
    return get_language_from_request(request) if request.headers.get("Accept-Language") else ""
