"""HTTP inside the ASGI application: Django's WSGI handler on a pool of long-lived threads.

Django's own ASGI handler gives each request a thread context of its own, and so a new database connection: it answers
360-400 `GET /auth/me` a second on one core, and this bridge 1,900-2,400. The bridge does what WSGI asks of a server
(PEP 3333) and no more:

- It counts the body as it comes, and keeps the body up to the limit. Of a longer body only the length reaches Django,
  where `core.rest.middleware.BodyLimit` answers 413, and of one that there is no room for only that it is refused.
- It always calls the answer's `close()`. Without that call Django's `request_finished` never fires.
- It makes a streamed answer chunk by chunk, each once the client has taken the one before, on a pool of its own that
  serves clients in turn. So however many clients download, and however slowly they read, there are few more threads and
  database connections, and other requests find the processor free.

A bridge serves clients in turn (`core.turns`). Requests that take long have bridges of their own.
"""

import asyncio
import contextvars
import io
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from core import errors, times, turns
from core.server.bodies import Body, ClientGone, bodies, read_body
from core.server.doors import network_of_scope
from core.turns import FairPool, Turn

Message = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
R = TypeVar("R")
#: Threads that make chunks of streamed answers. Each takes the processor from the other requests.
DOWNLOAD_THREADS = 2
#: Runs a function on one of them, in the client's turn and the request's context.
InTurn = Callable[[Callable[[], Any]], Awaitable[Any]]


class WsgiBridge:
    """An ASGI application for HTTP scopes that runs `wsgi` with bodies of up to `body_limit` bytes.

    `turn_of` gives, for a request's scope and body, the turn in which the request waits for one of the `threads`, whose
    names begin with `name`. What `quick` answers, from the request's environment, does not reach `wsgi`.
    """

    def __init__(
        self,
        wsgi: Callable[..., Iterable[bytes]],
        *,
        threads: int,
        body_limit: int,
        turn_of: Callable[[Scope, bytes], Turn],
        name: str = "http",
        quick: Callable[[dict[str, Any]], tuple[Message, bytes] | None] = lambda environ: None,
    ) -> None:
        self.wsgi = wsgi
        self.quick = quick
        self.body_limit = body_limit
        self.turn_of = turn_of
        self.workers = FairPool(threads, name)
        self.downloads = FairPool(DOWNLOAD_THREADS, "download")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with bodies.place(network_of_scope(scope)) as place:
            try:
                body = await read_body(receive, place, limit=self.body_limit)
            except ClientGone:
                return
            environ = _environ(scope, body)
            context = contextvars.copy_context()
            turn = self.turn_of(scope, body.content)
            context.run(turns.current.set, turn)
            context.run(times.arrived.set, times.now())
            start, answer = await self.workers.run(lambda: context.run(self._run, environ), turn)
        if isinstance(answer, bytes):
            await send(start)
            await send({"type": "http.response.body", "body": answer})
        else:
            credential = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
            place_in_line = Turn(network_of_scope(scope), credential)

            def in_turn(work: Callable[[], R]) -> "asyncio.Future[R]":
                return self.downloads.run(lambda: context.run(work), place_in_line)

            await _stream(start, answer, in_turn, receive, send)

    def _run(self, environ: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Runs `wsgi`, in a thread of the pool: the answer's start, and its body or, if it is streamed, the answer."""
        if (quick := self.quick(environ)) is not None:
            return quick
        start: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            start.update(
                type="http.response.start",
                status=int(status[:3]),
                headers=[(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            )

        answer = self.wsgi(environ, start_response)
        if getattr(answer, "streaming", False):
            return start, answer
        try:
            return start, b"".join(answer)
        finally:
            _close(answer)


def _environ(scope: Scope, body: Body) -> dict[str, Any]:
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", "").encode().decode("latin-1"),
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 80),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body.content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope.get("headers", []):
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name:
            continue  # in `environ`, `X_Forwarded_For` and `X-Forwarded-For` have the same name
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        separator = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
    # The number of bytes that came, because a chunked body has no such header.
    if body.length or "CONTENT_LENGTH" in environ:
        environ["CONTENT_LENGTH"] = str(body.length)
    if body.is_refused:
        environ[errors.REFUSAL] = errors.TooManyRequests()
    return environ


async def _stream(start: Message, answer: Any, in_turn: InTurn, receive: Receive, send: Send) -> None:
    """Sends a streamed answer, one chunk at a time, until it ends or the client is gone."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    watcher = asyncio.create_task(watch())
    chunks = iter(answer)
    try:
        await send(start)
        while not watcher.done():
            # If this raises, the server logs it and cuts the connection, so that the client sees a broken answer.
            chunk: bytes | None = await in_turn(lambda: next(chunks, None))
            if chunk is None:
                await send({"type": "http.response.body", "body": b""})
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        watcher.cancel()
        await in_turn(lambda: _close(answer))


def _close(answer: Any) -> None:
    if hasattr(answer, "close"):
        answer.close()
