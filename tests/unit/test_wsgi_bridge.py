"""core.server.wsgi_bridge: what WSGI asks of a server, bodies counted, answers closed, downloads in pieces."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from core import times
from core.server.bodies import DRAIN_LIMIT
from core.server.wsgi_bridge import WsgiBridge
from core.turns import Turn

LIMIT = 100
#: What is to come has this long, seconds.
SOON = 15.0
Environ = dict[str, Any]


class Answer:
    """A WSGI answer of `chunks`; knows whether and where it was closed."""

    def __init__(self, chunks: Any, *, streaming: bool = False) -> None:
        self.chunks = chunks
        self.streaming = streaming
        self.closed = threading.Event()
        self.threads: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.threads.append(threading.current_thread().name)
            yield chunk

    def close(self) -> None:
        assert not self.closed.is_set(), "closed twice"
        self.closed.set()


class App:
    """A WSGI application that keeps what it was asked and gives `answer`."""

    def __init__(self, answer: Callable[[Environ], Any] = lambda _: [b"hello"], status: str = "200 OK") -> None:
        self.answer, self.status = answer, status
        self.environs: list[Environ] = []
        self.bodies: list[bytes] = []

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Any:
        self.environs.append(environ)
        self.bodies.append(environ["wsgi.input"].read())
        start_response(self.status, [("Content-Type", "text/plain"), ("X-Name", "é")])
        return self.answer(environ)


class Client:
    """The ASGI side: gives the messages of a request and takes those of the answer."""

    def __init__(self, *body: bytes, gone: bool = False) -> None:
        pieces = body or (b"",)
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for number, piece in enumerate(pieces):
            more = gone or number < len(pieces) - 1
            self.incoming.put_nowait({"type": "http.request", "body": piece, "more_body": more})
        if gone:
            self.leave()

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> dict[str, Any]:
        return await self.incoming.get()

    async def send(self, message: dict[str, Any]) -> None:
        self.outgoing.put_nowait(message)

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.outgoing.get(), SOON)

    @property
    def sent(self) -> list[dict[str, Any]]:
        return [self.outgoing.get_nowait() for _ in range(self.outgoing.qsize())]


def scope(**more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/class",
        "query_string": b"",
        "headers": [],
        "client": ("10.0.0.7", 5555),
        "server": ("127.0.0.1", 3000),
        **more,
    }


Make = Callable[..., WsgiBridge]


@pytest.fixture
async def bridge() -> AsyncIterator[Make]:
    """`bridge(app)` is a bridge to it, `threads=` how many workers it has."""
    made: list[WsgiBridge] = []

    def make(app: Any, threads: int = 1) -> WsgiBridge:
        made.append(WsgiBridge(app, threads=threads, body_limit=LIMIT, turn_of=lambda scope, body: Turn()))
        return made[-1]

    yield make
    for each in made:
        each.workers.shutdown(cancel_futures=True)
        each.downloads.shutdown(cancel_futures=True)


async def ask(asked: WsgiBridge, client: Client, /, **more: Any) -> list[dict[str, Any]]:
    """Sends one request through; what the client got."""
    await asyncio.wait_for(asked(scope(**more), client.receive, client.send), SOON)
    return client.sent


# Requests


async def test_the_environ_is_what_wsgi_says(bridge: Make) -> None:
    app = App()
    headers = [
        (b"host", b"school.example:3000"),
        (b"content-type", b"application/json"),
        (b"content-length", b"2"),
        (b"authorization", b"Bearer x"),
        (b"x-many", b"a"),
        (b"x-many", b"b"),
        (b"x-odd", b"\xff"),
    ]
    await ask(
        bridge(app),
        Client(b"{}"),
        path="/class/é 1/\u20ac",
        query_string=b"a=%20&b=\xff",
        scheme="https",
        headers=headers,
    )
    (environ,) = app.environs
    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/class/é 1/\u20ac".encode().decode("latin-1"),
        "QUERY_STRING": "a=%20&b=\xff",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "3000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "10.0.0.7",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "2",
        "HTTP_HOST": "school.example:3000",
        "HTTP_AUTHORIZATION": "Bearer x",
        "HTTP_X_MANY": "a,b",
        "HTTP_X_ODD": "\xff",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.multithread": True,
        "wsgi.run_once": False,
    }
    assert {name: environ.get(name) for name in expected} == expected
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & set(environ)
    assert hasattr(environ["wsgi.errors"], "write")
    assert all(isinstance(value, str) for name, value in environ.items() if name.isupper())


async def test_headers_with_underscores_are_dropped(bridge: Make) -> None:
    app = App()
    headers = [(b"x_forwarded_for", b"1.2.3.4"), (b"x-forwarded-for", b"10.0.0.1"), (b"content_length", b"9")]
    await ask(bridge(app), Client(), headers=[*headers, (b"http_authorization", b"x"), (b"authorization_", b"x")])
    (environ,) = app.environs
    assert environ["HTTP_X_FORWARDED_FOR"] == "10.0.0.1"
    assert "CONTENT_LENGTH" not in environ
    assert not [name for name in environ if "AUTHORIZATION" in name]


async def test_a_server_and_a_client_without_addresses_are_served(bridge: Make) -> None:
    """As on a UNIX socket."""
    app = App()
    await ask(bridge(app), Client(), server=None, client=None)
    assert (app.environs[0]["REMOTE_ADDR"], app.environs[0]["SERVER_PORT"]) == ("", "80")


# Bodies


@pytest.mark.parametrize(
    "pieces", [(b"",), (b"a" * LIMIT,), (b"a" * 60, b"b" * 40), (b"", b"x", b"", b"y", b""), tuple([b"z"] * LIMIT)]
)
async def test_a_body_up_to_the_limit_is_passed_on_whole(bridge: Make, pieces: tuple[bytes, ...]) -> None:
    app = App()
    await ask(bridge(app), Client(*pieces))
    assert app.bodies == [b"".join(pieces)]
    assert int(app.environs[0].get("CONTENT_LENGTH", 0)) == len(b"".join(pieces))


@pytest.mark.parametrize("declared", [[], [(b"content-length", b"5")], [(b"transfer-encoding", b"chunked")]])
@pytest.mark.parametrize("pieces", [(b"a" * (LIMIT + 1),), (b"a" * LIMIT, b"b"), tuple([b"z" * 30] * 9)])
async def test_of_a_longer_body_only_the_length_is_passed_on(
    bridge: Make, pieces: tuple[bytes, ...], declared: list[tuple[bytes, bytes]]
) -> None:
    """Counted as it came, whatever the headers say, and read to its end, so that the client reads the answer."""
    app, client = App(), Client(*pieces)
    await ask(bridge(app), client, headers=declared)
    assert app.bodies == [b""]
    assert app.environs[0]["CONTENT_LENGTH"] == str(sum(map(len, pieces)))
    assert client.incoming.empty()


async def test_a_chunked_body_gets_the_length_that_it_has(bridge: Make) -> None:
    app = App()
    await ask(bridge(app), Client(b"ab", b"cd"), headers=[(b"transfer-encoding", b"chunked")])
    assert (app.bodies, app.environs[0]["CONTENT_LENGTH"]) == ([b"abcd"], "4")


async def test_a_body_without_end_is_not_read_without_end(bridge: Make) -> None:
    app, piece = App(), b"x" * (1024 * 1024)
    given = 0

    async def receive() -> dict[str, Any]:
        nonlocal given
        given += len(piece)
        return {"type": "http.request", "body": piece, "more_body": True}

    client = Client()
    await asyncio.wait_for(bridge(app)(scope(), receive, client.send), SOON)
    assert DRAIN_LIMIT < given <= DRAIN_LIMIT + len(piece)
    assert app.bodies == [b""]
    assert client.sent[0]["type"] == "http.response.start"


async def test_a_client_that_goes_in_the_middle_of_its_body_is_not_served(bridge: Make) -> None:
    app = App()
    assert await ask(bridge(app), Client(b"half", gone=True)) == []
    assert app.environs == []


# Answers


async def test_an_answer_is_one_start_and_one_body_and_is_closed(bridge: Make) -> None:
    answer = Answer([b"hel", b"", b"lo"])
    sent = await ask(bridge(App(lambda _: answer, "404 Not Found")), Client())
    assert sent == [
        {
            "type": "http.response.start",
            "status": 404,
            "headers": [(b"content-type", b"text/plain"), (b"x-name", "é".encode("latin-1"))],
        },
        {"type": "http.response.body", "body": b"hello"},
    ]
    assert answer.closed.is_set()
    assert {name.partition("_")[0] for name in answer.threads} == {"http"}


async def test_an_answer_without_close_is_fine(bridge: Make) -> None:
    assert (await ask(bridge(App(lambda _: [b"a", b"b"])), Client()))[-1]["body"] == b"ab"


async def test_an_answer_that_fails_is_closed_and_the_failure_passed_on(bridge: Make) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"some"
        raise RuntimeError("no more")

    answer = Answer(chunks())
    client = Client()
    with pytest.raises(RuntimeError, match="no more"):
        await ask(bridge(App(lambda _: answer)), client)
    assert answer.closed.is_set()
    assert client.sent == []


async def test_a_head_request_is_told_to_the_application(bridge: Make) -> None:
    app = App(lambda environ: [] if environ["REQUEST_METHOD"] == "HEAD" else [b"body"])
    sent = await ask(bridge(app), Client(), method="HEAD")
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[1]["body"] == b""


async def test_context_variables_of_the_request_reach_the_application_and_do_not_leak_back(bridge: Make) -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")
    seen: list[str] = []

    def answer(environ: Environ) -> list[bytes]:
        seen.append(name.get())
        name.set("changed by a request")
        return []

    asked = bridge(App(answer))
    name.set("outside")
    await ask(asked, Client())
    await ask(asked, Client())
    assert seen == ["outside", "outside"]
    assert name.get() == "outside"


async def test_requests_run_beside_each_other_on_the_workers(bridge: Make) -> None:
    both = threading.Barrier(2)

    def answer(environ: Environ) -> list[bytes]:
        both.wait(SOON)
        return []

    asked = bridge(App(answer), threads=2)
    assert all(await asyncio.gather(ask(asked, Client()), ask(asked, Client())))


async def test_a_request_knows_when_it_had_come_whole_before_it_waited_for_a_worker(bridge: Make) -> None:
    go_on, has_come = threading.Event(), asyncio.Event()
    moments: list[datetime] = []

    def answer(environ: Environ) -> list[bytes]:
        moments.append(times.asked_at())
        assert go_on.wait(SOON)
        return []

    def turn_of(scope: Any, body: Any) -> Turn:
        has_come.set()
        return Turn()

    async def later() -> datetime:
        """The next millisecond."""
        before = times.now()
        while times.now() == before:
            await asyncio.sleep(0)
        return times.now()

    asked = bridge(App(answer), threads=1)
    first = asyncio.create_task(ask(asked, Client()))
    asked.turn_of = turn_of
    client = Client()
    client.incoming.get_nowait()
    second = asyncio.create_task(ask(asked, client))
    client.incoming.put_nowait({"type": "http.request", "body": b"a half", "more_body": True})
    half = await later()
    client.incoming.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    await asyncio.wait_for(has_come.wait(), SOON)
    whole = await later()
    go_on.set()
    await asyncio.gather(first, second)
    assert half <= moments[1] < whole


# Streamed answers


async def test_a_streamed_answer_is_sent_chunk_by_chunk_and_then_closed(bridge: Make) -> None:
    go_on = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield b"first"
        assert go_on.wait(SOON)
        yield b"second"

    answer, client = Answer(chunks(), streaming=True), Client()
    request = asyncio.create_task(bridge(App(lambda _: answer))(scope(), client.receive, client.send))
    assert (await client.next())["type"] == "http.response.start"
    assert await client.next() == {"type": "http.response.body", "body": b"first", "more_body": True}
    assert not answer.closed.is_set()
    assert client.sent == []
    go_on.set()
    assert await client.next() == {"type": "http.response.body", "body": b"second", "more_body": True}
    last = await client.next()
    assert (last["body"], last.get("more_body", False)) == (b"", False)
    await asyncio.wait_for(request, SOON)
    assert answer.closed.is_set()


async def test_a_client_that_reads_slowly_holds_no_worker(bridge: Make) -> None:
    may_send = asyncio.Semaphore(2)

    async def slow_send(message: dict[str, Any]) -> None:
        await may_send.acquire()
        client.outgoing.put_nowait(message)

    download = Answer([b"first", b"second", b"third"], streaming=True)
    asked = bridge(App(lambda environ: download if environ["PATH_INFO"] == "/download" else [b"quick"]), threads=1)
    client = Client()
    request = asyncio.create_task(asked(scope(path="/download"), client.receive, slow_send))
    await client.next()
    await client.next()
    assert (await ask(asked, Client()))[-1]["body"] == b"quick"
    assert not request.done()
    for _ in range(5):
        may_send.release()
    await asyncio.wait_for(request, SOON)
    assert [message.get("body") for message in client.sent] == [b"second", b"third", b""]
    assert {name.partition("_")[0] for name in download.threads} == {"download"}


async def test_a_download_whose_client_goes_is_ended_and_closed(bridge: Make) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"more"

    answer, client = Answer(chunks(), streaming=True), Client()
    request = asyncio.create_task(bridge(App(lambda _: answer))(scope(), client.receive, client.send))
    for _ in range(5):
        await client.next()
    client.leave()
    await asyncio.wait_for(request, SOON)
    assert answer.closed.is_set()
    assert all(message.get("more_body", True) for message in client.sent), "the answer was never whole"


async def test_a_download_waits_for_a_client_that_reads_slowly(bridge: Make) -> None:
    """One chunk in flight: nothing piles up in this process."""
    may_send = asyncio.Semaphore(2)
    made = 0

    def chunks() -> Iterator[bytes]:
        nonlocal made
        for _ in range(50):
            made += 1
            yield b"more"

    async def slow_send(message: dict[str, Any]) -> None:
        await may_send.acquire()
        client.outgoing.put_nowait(message)

    answer, client = Answer(chunks(), streaming=True), Client()
    request = asyncio.create_task(bridge(App(lambda _: answer))(scope(), client.receive, slow_send))
    await client.next()
    await client.next()
    assert made <= 2
    for _ in range(60):
        may_send.release()
    await asyncio.wait_for(request, SOON)
    assert made == 50
    assert answer.closed.is_set()


async def test_context_variables_reach_a_streamed_answer(bridge: Make) -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")

    def chunks() -> Iterator[bytes]:
        yield name.get().encode()

    name.set("Asha")
    sent = await ask(bridge(App(lambda _: Answer(chunks(), streaming=True))), Client())
    assert sent[1]["body"] == b"Asha"


async def test_a_download_that_fails_is_closed_and_the_server_hears_why(bridge: Make) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"some"
        raise RuntimeError("no more")

    answer, client = Answer(chunks(), streaming=True), Client()
    with pytest.raises(RuntimeError, match="no more"):
        await ask(bridge(App(lambda _: answer)), client)
    assert answer.closed.is_set()
    # It never ends as if it were whole.
    assert [message.get("body") for message in client.sent] == [None, b"some"]
