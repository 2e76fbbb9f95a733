"""The table of `python -m bench.request_steps`: a step a line, and for each route its two ways."""

from bench.results import Figures
from bench.table import shown

ENVIRONMENT = "the environment of the request"
HANDLER = "Django's handler and middleware"
RESOLVING = "resolving the path"
DISPATCH = "DRF's view"
QUICK = "the quick way in their place"
TOKEN = "the token"
PERMISSION = "the permission"
BODY = "the body's fields"
VIEW = "the view and its rules"
STATEMENTS = "statements"
FIELDS = "the answer's fields"
ENVELOPE = "the envelope"
AUDIT = "the audit log"
STEPS = (
    *(ENVIRONMENT, HANDLER, RESOLVING, DISPATCH, QUICK, TOKEN, PERMISSION, BODY),
    *(VIEW, STATEMENTS, FIELDS, ENVELOPE, AUDIT),
)
WAYS = ("plain", "quick")


def table(result: Figures) -> list[tuple[str, ...]]:
    """The lines, the heading first; µs a request."""
    routes = result["routes"]
    found = [("µs a request", *(f"`{name}`, {way}" for name in routes for way in WAYS))]
    for step in STEPS:
        found.append((step, *(_cell(of[way].get(step, 0.0)) for of in routes.values() for way in WAYS)))
    found.append(("all of these", *(_cell(_sum(of[way])) for of in routes.values() for way in WAYS)))
    return found


def _sum(steps: dict[str, float]) -> float:
    return sum(steps.values())


def _cell(microseconds: float) -> str:
    return shown(round(microseconds, 1)) if microseconds >= 0.1 else ""
