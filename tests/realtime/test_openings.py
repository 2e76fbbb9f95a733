"""Connecting and leaving in a loop: an account and an address open so many sockets in a time, at every door."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from core import errors
from tests.support.clients import NO_CERTIFICATES, UNLIMITED, Api, Socket
from tests.support.database import Databases
from tests.support.server import TRY_AGAIN_LATER, Server, not_under, only_serve
from tests.support.socketio import Refused, SocketIo, events_socket, rooms_socket

pytestmark = pytest.mark.one_database("Openings are counted in the process.")

TOO_MANY = "Too many requests"
#: More than anybody is granted here, also while some come again.
MOST = 500


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    """An account opens a socket a second and 20 at once, an address one a second and 50 at once."""
    with Server(databases.fresh(), LIMIT_ACCOUNT_OPENINGS="1", LIMIT_ADDRESS_OPENINGS="1") as running:
        yield running
        running.assert_clean()


#: Addresses that nobody has used yet: the server believes the test to be a proxy.
unused = (f"10.1.{number // 250}.{number % 250}" for number in itertools.count(1))


believes_proxies = not_under("daphne", "granian", "runserver", reason="as it comes, it believes no proxy")


def from_address(address: str) -> dict[str, Any]:
    return {"additional_headers": {"X-Forwarded-For": address}}


@only_serve
@pytest.mark.parametrize("path", ["/ws", "/ws/v2", "/attentrack", "/nowhere", "/socket.io/?EIO=4&transport=websocket"])
async def test_an_address_opens_so_many_sockets_at_each_path(server: Server, path: str) -> None:
    url = server.ws_url.removesuffix("/ws") + path

    async def knock(address: str) -> int:
        """The status of the answer to a handshake; the socket leaves at once."""
        try:
            async with connect(url, **UNLIMITED, **from_address(address)):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    address = next(unused)
    statuses = [await knock(address)]
    usual = statuses[0]
    while statuses[-1] == usual and len(statuses) < MOST:
        statuses.append(await knock(address))
    assert statuses[-1] == 429
    assert 50 < len(statuses) < MOST
    assert await knock(next(unused)) == usual


@only_serve
def test_a_handshake_of_polling_counts_like_a_socket(server: Server) -> None:
    if find_spec("dialects.socketio") is None:
        pytest.skip("There is no Socket.IO here.")
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    with httpx.Client(verify=NO_CERTIFICATES, headers={"X-Forwarded-For": next(unused)}) as client:
        answers = [client.get(url)]
        while answers[-1].status_code == 200 and len(answers) < MOST:
            answers.append(client.get(url))
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"] == "1"
    assert 50 < len(answers) < MOST


@believes_proxies
@pytest.mark.parametrize("path", ["/ws", "/ws/v2", "/attentrack"])
async def test_an_account_opens_so_many_sockets_and_is_told_so(server: Server, api: Api, path: str) -> None:
    token = api.signup("teacher").token
    url = server.ws_url.removesuffix("/ws") + path

    async def is_let_in(token: str) -> bool:
        async with Socket(url, token, **from_address(next(unused))) as socket:
            with suppress(ConnectionClosed):  # who is refused may be closed already
                await socket.send("A PROBE")
            frame = json.dumps(await socket.frame())
            if TOO_MANY not in frame and errors.TooManyRequests.code not in frame:  # /ws/v2 words its messages itself
                return True
            assert await socket.close_code() == TRY_AGAIN_LATER
            return False

    opened = 0
    while opened < MOST and await is_let_in(token):
        opened += 1
    assert 20 <= opened < MOST
    assert await is_let_in(api.signup("student").token)


@believes_proxies
@pytest.mark.parametrize("client", [events_socket, rooms_socket])
async def test_an_account_is_told_so_in_the_dialects_words(
    server: Server, api: Api, client: Callable[..., SocketIo]
) -> None:
    token = api.signup("teacher").token
    opened = 0

    async def until_refused() -> None:
        nonlocal opened
        while opened < MOST:
            socket = client(server.url, token)
            socket.options.update(from_address(next(unused)))
            async with socket:
                opened += 1

    with pytest.raises(Refused, match=TOO_MANY):
        await until_refused()
    assert opened >= 20
