"""The guards in front of what a client's message does."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from attendance.enums import Method, Status
from attendance.live import events
from attendance.live.session import LiveSession
from attendance.live.socket import Outlet, Socket
from attendance.marking import Wanted
from core import errors, limits
from core.identity import Actor, Role


async def test_a_socket_whose_token_went_bad_while_its_message_waited_marks_nobody() -> None:
    actor = Actor("t", Role.TEACHER, "", "")
    socket = Socket(actor, None, cast(Outlet, None), closing=True)
    live = cast(Any, SimpleNamespace(crowded=False))  # it has nothing to mark with
    session = LiveSession("s", "c", "t", datetime(2025, 3, 11, tzinfo=UTC))
    with pytest.raises(errors.SocketUnauthorized):
        await events.mark_students(
            events.Request(live, socket), session, [Wanted("a", Status.PRESENT)], Method.TEACHER, lambda committed: None
        )


#: Where the protocols' tables of events are: package, module, and the name there.
TABLES = [
    ("attendance.live", "events", "EVENTS"),
    ("dialects.events", "dialect", "Events.events"),
    ("dialects.rooms", "dialect", "Rooms.events"),
    ("dialects.attentrack", "messages", "MESSAGES"),
]


@pytest.mark.parametrize(("package", "module", "name"), TABLES)
def test_every_event_that_marks_is_charged_as_marks(package: str, module: str, name: str) -> None:
    pytest.importorskip(package)
    table: Mapping[str, events.Event] = attrgetter(name)(import_module(f"{package}.{module}"))
    for event_name, event in table.items():
        assert (event.limit is limits.MARKS) == (event.marks or event_name == "attendance"), event_name
