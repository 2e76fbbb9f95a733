"""core.asking: a sane id of a proxy is taken over, any other is made; lines say on whose behalf they are written."""

import asyncio
import contextvars
import json
import logging
import re
from typing import Any

import pytest

from core import asking, logs
from core.asking import Asking
from core.logs import JsonLines, TextLines

MADE = re.compile(r"[0-9a-f]{16}")


async def ask(given: bytes | None, kind: str = "http") -> tuple[Asking, list[Any]]:
    """Who a client is, and the headers that it is told."""
    headers = [] if given is None else [(b"x-request-id", given)]
    told: list[Any] = []

    async def send(message: dict[str, Any]) -> None:
        told.extend(message.get("headers", []))

    send_on = asking.begin({"type": kind, "headers": headers, "client": ("192.0.2.7", 5)}, send)
    await send_on({"type": "http.response.start", "headers": [(b"a", b"b")]})
    await send_on({"type": "http.response.body", "body": b""})
    return asking.current.get(), told


@pytest.mark.parametrize("given", [b"0123abcd", b"6f1c6a0e-1c1f-4a8e-9d59-0d8b2f3d0a11", b"A" * 64])
async def test_a_sane_id_is_taken_over_and_told(given: bytes) -> None:
    found, told = await ask(given)
    assert found == Asking(request_id=given.decode(), address="192.0.2.7")
    assert told == [(b"a", b"b"), (b"x-request-id", given)]


@pytest.mark.parametrize(
    "given", [None, b"", b"short", b"A" * 65, b"two words", b"a.b.c.d.e", b"line\nbreak", b"\xe4" * 9]
)
async def test_any_other_id_is_made_anew(given: bytes | None) -> None:
    found, told = await ask(given)
    assert MADE.fullmatch(found.request_id)
    assert told[-1] == (b"x-request-id", found.request_id.encode())


async def test_a_socket_has_an_id_of_its_own_kind_and_is_told_none() -> None:
    found, told = await ask(b"0123abcd", "websocket")
    assert (found, told) == (Asking(socket_id="0123abcd", address="192.0.2.7"), [(b"a", b"b")])


def record(**extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("somebody", logging.WARNING, "x.py", 1, "%d words", (2,), None)
    made.__dict__.update(extra)
    return made


def written_for(by: Asking, made: logging.LogRecord) -> tuple[str, Any]:
    """The record as text and as JSON, written by code that works for `by`."""

    def write() -> tuple[str, Any]:
        asking.current.set(by)
        return TextLines().format(made), json.loads(JsonLines().format(made))

    return contextvars.copy_context().run(write)


def test_a_line_says_whose_request_it_belongs_to() -> None:
    text, line = written_for(Asking(request_id="0123abcd", address="192.0.2.7"), record())
    assert text.endswith("WARNING somebody: 2 words [address=192.0.2.7 request_id=0123abcd]")
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "somebody",
        "message": "2 words",
        "address": "192.0.2.7",
        "request_id": "0123abcd",
    }


def test_a_line_for_nobody_says_nothing_of_anybody() -> None:
    text, line = written_for(Asking(), record())
    assert text.endswith("somebody: 2 words")
    assert set(line) == {"time", "level", "logger", "message"}


def test_an_event_has_its_name_and_its_known_fields_and_whoever_did_it(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tests.events")
    logs.event(logger, "limit_reached", "Refused.", by=Asking(socket_id="abcd0123"), limit="marks", account=None)
    text, line = written_for(Asking(request_id="of-another"), caplog.records[0])
    assert text.endswith("Refused. [event=limit_reached limit=marks socket_id=abcd0123]")
    assert (line["event"], line["limit"], line["socket_id"]) == ("limit_reached", "marks", "abcd0123")
    assert not {"account", "request_id"} & set(line)
    assert caplog.records[0].filename == "test_asking.py", "the place is the caller's"


def test_a_traceback_stands_in_its_line() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError as failure:
        made = record(exc_info=(ValueError, failure, failure.__traceback__))
    written = JsonLines().format(made)
    assert "\n" not in written
    assert "ValueError: a\nb" in json.loads(written)["exception"]


async def test_tasks_and_threads_that_work_for_a_client_inherit_it() -> None:
    async def served() -> tuple[str, str]:
        asking.current.set(Asking(request_id="0123abcd"))
        in_thread = await asyncio.to_thread(lambda: asking.current.get().request_id)
        in_task = await asyncio.create_task(_id())
        return in_thread, in_task

    assert await asyncio.create_task(served()) == ("0123abcd", "0123abcd")
    assert asking.current.get() == Asking()


async def _id() -> str:
    return asking.current.get().request_id
