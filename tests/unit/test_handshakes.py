"""dialects.socketio.handshakes: clients that have not said who they are, and all clients, by address."""

from typing import Any

import pytest

pytest.importorskip("dialects.socketio")

from dialects.socketio.handshakes import Handshakes


def test_clients_that_say_who_they_are_make_room_for_others(settings: Any) -> None:
    settings.LIMIT_HANDSHAKES = 2
    handshakes = Handshakes()
    for client in ("a", "b"):
        assert not handshakes.reached("here")
        handshakes.begin(client, "here")
    assert handshakes.reached("here")
    assert not handshakes.reached("elsewhere")
    for _ in range(2):
        handshakes.connected("a")
    assert not handshakes.reached("here")
    handshakes.begin("c", "here")
    assert handshakes.reached("here")
    for _ in range(2):
        handshakes.end("b")
    assert not handshakes.reached("here")


def test_an_address_has_so_many_clients_in_all(settings: Any) -> None:
    settings.LIMIT_ADDRESS_SOCKETS = 2
    handshakes = Handshakes()
    for client in ("a", "b"):
        handshakes.begin(client, "here")
        handshakes.connected(client)
    assert handshakes.reached("here")
    handshakes.end("a")
    assert not handshakes.reached("here")
    handshakes.end("unknown")
