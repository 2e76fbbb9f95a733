"""What requests leave in the audit log, whichever protocol, page or part of the admin they are for.

- a change: whatever is not only read, by somebody who is signed in;
- a read or an export: by teachers and the office, of what has an id in its address, or is a list of people;
- a refusal: 401, 403 and 429.

Sign-ins are noted where passwords and codes are compared.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from audit.models import Action, Outcome
from audit.trail import trail
from core.identity import Role

#: The statuses of answers that refuse somebody what they ask for.
REFUSED = (401, 403, 429)
_READING = ("GET", "HEAD", "OPTIONS")


class Audited:
    """Notes in the audit log what a request did."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        note(request, response)
        return response


def note(request: Any, response: HttpResponseBase) -> None:
    """Notes what an answered request did: a `HttpRequest`, or what has its `method`, `resolver_match` and `user`."""
    match = request.resolver_match
    if match is None:
        return
    actor = _actor(request)
    outcome = Outcome.REFUSED if response.status_code in REFUSED else Outcome.DONE
    action = _action(request, response, actor)
    if action is not None and (outcome is Outcome.REFUSED or response.status_code < 400):
        kind, thing = _thing(match)
        way = f"{request.method} {match.view_name or match.route}"
        actor_id = getattr(actor, "id", None)
        trail.note(action, way, actor=actor_id, outcome=outcome, kind=kind, thing=thing)


def _actor(request: Any) -> Any:
    """The person who asks, if the request has found out who that is."""
    known = request.__dict__.get("_cached_user") or request.__dict__.get("user")
    is_known = not isinstance(known, SimpleLazyObject) and getattr(known, "is_authenticated", False)
    return known if is_known else None


def _action(request: Any, response: HttpResponseBase, actor: Any) -> Action | None:
    if request.method not in _READING:
        # Whoever is not signed in changes nothing of others; what such a request tries is told if it is refused.
        return Action.CHANGE if actor is not None or response.status_code in REFUSED else None
    if response.status_code in REFUSED:
        return Action.READ
    if actor is None or not _is_staff(actor):
        return None
    if "attachment" in response.get("Content-Disposition", ""):
        return Action.EXPORT
    return Action.READ if _is_about_people(request) else None


def _is_staff(actor: Any) -> bool:
    return bool(actor.role == Role.TEACHER or actor.is_superuser)


def _is_about_people(request: Any) -> bool:
    match: Any = request.resolver_match
    view = getattr(match.func, "view_class", None) or getattr(match.func, "cls", None)
    if match.app_name == "admin":
        return "object_id" in match.kwargs or str(match.url_name).endswith("_changelist")
    return bool(match.kwargs) or bool(getattr(view, "shows_people", False))


def _thing(match: Any) -> tuple[str, str]:
    """The kind and the id of what a route is about: of the ids in its path the last, which is the narrowest."""
    named = [(name, value) for name, value in match.kwargs.items() if isinstance(value, str) and name.endswith("_id")]
    name, value = named[-1] if named else ("", "")
    return name.removesuffix("_id"), value
