"""core.server.bodies: all bodies together have a limit, and one address has a part of it."""

from typing import Any

import pytest

from core.server.bodies import MIB, Bodies, Body, ClientGone, Place, read_body


class Sender:
    """A client that sends these pieces."""

    def __init__(self, *pieces: bytes, gone: bool = False) -> None:
        self.messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": gone or at < len(pieces) - 1}
            for at, piece in enumerate(pieces)
        ]
        self.messages += [{"type": "http.disconnect"}] if gone else []

    async def __call__(self) -> dict[str, Any]:
        return self.messages.pop(0)


async def read(place: Place, *pieces: bytes) -> Body:
    return await read_body(Sender(*pieces), place, limit=MIB)


@pytest.fixture
def bodies(settings: Any) -> Bodies:
    settings.LIMIT_BODIES = 4  # MiB, of which an address has one
    return Bodies()


async def test_a_body_takes_room_until_its_place_is_given_up(bodies: Bodies) -> None:
    with bodies.place("a") as place:
        assert await read(place, b"12", b"345") == (b"12345", 5, False)
        assert (bodies.held, bodies.by_network) == (5, {"a": 5})
    assert (bodies.held, bodies.by_network) == (0, {})


async def test_what_an_address_has_no_room_for_is_refused_and_others_are_served(bodies: Bodies) -> None:
    half = b"x" * (MIB // 2)
    first, second, third, fourth = (bodies.place("a") for _ in range(4))
    assert not (await read(first, half)).is_refused
    assert not (await read(second, half)).is_refused
    assert await read(third, b"12", b"345") == (b"", 5, True)
    assert not (await read(bodies.place("b"), half)).is_refused
    second.clear()
    assert not (await read(fourth, b"12")).is_refused


async def test_all_addresses_together_have_a_limit(bodies: Bodies) -> None:
    whole = b"x" * MIB
    places = [bodies.place(str(number)) for number in range(5)]
    assert [(await read(place, whole)).is_refused for place in places] == [False] * 4 + [True]
    for place in places:
        place.clear()
    assert bodies.held == 0


async def test_a_body_over_the_limit_of_one_takes_no_room(bodies: Bodies) -> None:
    with bodies.place("a") as place:
        assert await read(place, b"x" * MIB, b"x") == (b"", MIB + 1, False)
        assert bodies.held == 0


async def test_a_client_that_leaves_leaves_nothing(bodies: Bodies) -> None:
    with pytest.raises(ClientGone), bodies.place("a") as place:
        await read_body(Sender(b"12", gone=True), place, limit=MIB)
    assert bodies.held == 0


async def test_without_limits_there_is_room_for_everything(bodies: Bodies, settings: Any) -> None:
    settings.LIMITS = False
    with bodies.place("a") as first, bodies.place("a") as second:
        assert not (await read(first, b"x" * MIB)).is_refused
        assert not (await read(second, b"x" * MIB)).is_refused
