"""Whatever fails while a Socket.IO client connects is a refusal: the library alone would leave the client waiting."""

from types import SimpleNamespace
from typing import Any

import pytest
from socketio import exceptions

from core import errors
from dialects.socketio import server
from dialects.socketio.server import SocketIo

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("failure", [RuntimeError("the database is away"), KeyError("token"), OSError()])
async def test_every_failure_of_a_connect_is_a_refusal(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    async def welcome(*args: Any, **options: Any) -> Any:
        raise failure

    dialect: Any = SimpleNamespace(own_port=None, is_meant=lambda handshake: True, form=None, error=None)
    application = SocketIo([dialect])
    monkeypatch.setattr(application.server, "eio", SimpleNamespace(sockets={"engine": SimpleNamespace()}))
    monkeypatch.setattr(application.server.manager, "eio_sid_from_sid", lambda sid, namespace: "engine")
    monkeypatch.setattr(server, "EngineOutlet", lambda engine: None)
    monkeypatch.setattr(server, "live", SimpleNamespace(welcome=welcome))
    with pytest.raises(exceptions.ConnectionRefusedError, match=errors.InternalError.message):
        await application._connect("client", {"asgi.scope": {}}, {"auth": None})
