"""Who asks: the id of a request or socket, and its address. Log lines and audit rows say so without being told.

The ASGI application notes it where a client comes in. Threads and tasks that work for the client inherit it.
"""

import random
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]

HEADER = b"x-request-id"
#: What a proxy may call a request. A token is no id: those that clients send have dots, or are longer.
_SANE = re.compile(rb"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True)
class Asking:
    """A client's request or socket, of which one id is set; nobody in particular where neither is."""

    request_id: str = ""
    socket_id: str = ""
    address: str = ""


#: On whose behalf the running code works.
current: ContextVar[Asking] = ContextVar("asking", default=Asking())  # noqa: B039  it cannot be changed


def begin(scope: Message, send: Send) -> Send:
    """Notes the client of an ASGI scope. Returns `send`, which for HTTP tells the client the id of its request."""
    given = next((value for name, value in scope.get("headers", ()) if name == HEADER), b"")
    # Not from the system: while it is asked, a thread takes the interpreter, and the event loop waits for its return.
    made = given if _SANE.fullmatch(given) else b"%016x" % random.getrandbits(64)
    address = (scope.get("client") or ("", 0))[0]
    if scope["type"] == "websocket":
        current.set(Asking(socket_id=made.decode(), address=address))
        return send
    current.set(Asking(request_id=made.decode(), address=address))

    async def send_with_id(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (HEADER, made)]}
        await send(message)

    return send_with_id
