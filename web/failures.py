"""Failures as pages, in words."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import csrf

from core import errors
from core.identity import Actor
from core.words import sentence_of
from web.middleware import PREFIX


def page(request: HttpRequest, error: errors.ApiError, *, person: Actor | None = None) -> HttpResponse:
    """The page that says what went wrong. `person`: who is signed in, where that is known."""
    content: dict[str, Any] = {"said": sentence_of(error, reader=person), "person": person}
    if person is None:
        content["messages"] = ()  # they may be in the session, which may be what cannot be read
    response = render(request, "web/error.html", content, status=error.status)
    if isinstance(error, errors.TooManyRequests):
        response["Retry-After"] = str(error.retry_after)
    return response


def not_from_here(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For a form that another site made, or whose page was open while somebody signed in or out."""
    if not request.path.startswith(PREFIX):
        return csrf.csrf_failure(request, reason)
    said = _("The page was open for too long, or you signed in meanwhile. Go back, load it again, and try once more.")
    content = {"said": said, "person": None, "messages": ()}
    return render(request, "web/error.html", content, status=errors.Forbidden.status)
