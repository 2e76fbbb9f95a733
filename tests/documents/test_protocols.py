"""Each protocol's page names every event and every route that the server has for it."""

import ast
import re
from collections.abc import Collection, Iterator

import pytest
from django.urls import URLPattern, get_resolver

from attendance.live.events import EVENTS
from core import errors
from dialects.attentrack.messages import MESSAGES
from dialects.events.dialect import Events
from dialects.rooms.dialect import Rooms
from dialects.v2.live.events import EVENTS as V2_EVENTS
from tests.documents.markdown import read, rows
from tests.support.processes import ROOT

#: Where a message on /ws is handled, up to the rules of a check-in.
HANDLE_WS = (
    *("attendance/live/events.py", "attendance/live/commit.py", "attendance/live/shares.py"),
    *("attendance/check_ins.py", "attendance/check_in.py", "attendance/check_in_rules.py"),
)
#: What these raise for others: keys of marks, claims of scans, and flags are not on /ws.
NOT_ON_WS = {"ApiError", "KeyReused", "ClaimExpired", "NotEnrolled", "FlagNotFound"}


@pytest.mark.parametrize(
    ("page", "events"),
    [
        ("canonical", EVENTS),
        ("events", Events.events),
        ("rooms", Rooms.events),
        ("attentrack", MESSAGES),
        ("v2", V2_EVENTS),
    ],
)
def test_a_protocols_page_names_each_of_its_events(page: str, events: Collection[str]) -> None:
    text = read(f"docs/protocols/{page}.md")
    assert [name for name in events if not re.search(rf"^\|.*`{name}`", text, re.MULTILINE)] == []


def routes(app: str) -> Iterator[str]:
    """The paths of an app's routes, as documents write them: `/class/:id`."""
    waiting = [("", pattern) for pattern in get_resolver().url_patterns]
    while waiting:
        prefix, found = waiting.pop()
        path = prefix + re.sub(r"\(\?P<\w+>[^)]*\)", ":id", str(found.pattern)).lstrip("^").removesuffix(r"/?\Z")
        if not isinstance(found, URLPattern):
            waiting += [(path, inner) for inner in found.url_patterns]
        elif found.callback.__module__.startswith(app):
            yield f"/{path}"


@pytest.mark.parametrize(
    ("page", "app"),
    [
        ("canonical", "accounts.views"),
        ("canonical", "classes.views"),
        ("canonical", "attendance.views"),
        ("canonical", "core.rest.health"),
        ("v1", "dialects.v1"),
        ("v2", "dialects.v2"),
        ("attentrack", "dialects.attentrack"),
    ],
)
def test_a_protocols_page_names_each_of_its_routes(page: str, app: str) -> None:
    text = read(f"docs/protocols/{page}.md")
    found = list(routes(app))
    assert found
    assert [path for path in found if not re.search(rf"^\|.*`[A-Z]+ {re.escape(path)}`", text, re.MULTILINE)] == []


def test_the_canonical_pages_errors_are_those_of_the_server() -> None:
    known = {
        (str(error.status), error.message)
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.ApiError) and error is not errors.ApiError
    }
    for statuses, messages, _ in rows(read("docs/protocols/canonical.md"), "Answers"):
        for message in re.findall(r"`([^`]+)`", messages):
            assert any((status, message) in known for status in statuses.split(", ")), (statuses, message)


def errors_named(path: str) -> set[str]:
    """The classes of `core.errors` that a module of the project names."""
    nodes = ast.walk(ast.parse((ROOT / path).read_text()))
    return {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "errors"
    }


def test_the_canonical_page_has_every_error_of_the_socket_and_no_other() -> None:
    named = {name for path in HANDLE_WS for name in errors_named(path)}
    assert named >= NOT_ON_WS
    said = [
        message
        for messages, *_ in rows(read("docs/protocols/canonical.md"), "Errors")
        for message in re.findall(r"`([^`]+)`", messages)
    ]
    assert set(said) == {getattr(errors, name).message for name in named - NOT_ON_WS}
