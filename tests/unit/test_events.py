"""The guards in front of what a client's message does."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from attendance.enums import Method, Status
from attendance.live import events
from attendance.live.session import LiveSession
from attendance.live.socket import Outlet, Socket
from attendance.marking import Wanted
from core import errors
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
