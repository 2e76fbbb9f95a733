"""A server of the tests on the network, over HTTPS (`manage.py serve --lan`), and clients that trust its authority."""

import socket
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.hosts import network_addresses
from tests.support.database import Database
from tests.support.processes import free_port
from tests.support.server import SERVE, Server

#: How the network knows this machine; None where there is no network.
ADDRESS = next(iter(network_addresses()), None)
#: By which the network knows it by IPv6, as they stand in a URL.
IPV6 = [f"[{address}]" for address in network_addresses() if ":" in address]


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as plug:
            plug.bind(("::1", 0))
    except OSError:
        return False
    return True


HAS_IPV6 = _has_ipv6()

needs_network = pytest.mark.skipif(ADDRESS is None, reason="this machine is in no network")


class LanServer(Server):
    """`url` is its address in the network. `folder` is its DATA_DIR, which a later server may have again."""

    def __init__(self, database: Database, folder: Path, *arguments: str, **environment: str) -> None:
        self.folder = folder
        self.trust_port = free_port()
        super().__init__(
            database,
            [*SERVE, "--lan", "--port", "{port}", *arguments],
            DATA_DIR=str(folder),
            TRUST_PORT=str(self.trust_port),
            **environment,
        )

    @property
    def authority(self) -> Path:
        """The certificate that its clients trust."""
        return self.folder / "lan" / "authority.crt"

    @property
    def url(self) -> str:
        return f"https://{ADDRESS}:{self.port}"

    @property
    def trust_url(self) -> str:
        return f"http://{ADDRESS}:{self.trust_port}"

    @property
    def ws_url(self) -> str:
        return f"wss://{ADDRESS}:{self.port}/ws"

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client has that trusts the server's authority and nobody else."""
        return ssl.create_default_context(cafile=self.authority)

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.trust, timeout=60, trust_env=False, **options)


class PlainServer(Server):
    """A server on the network without HTTPS, by its address in the network, at which browsers call no page secure."""

    def __init__(self, database: Database, **environment: str) -> None:
        super().__init__(database, [*SERVE, "--host", "0.0.0.0", "--port", "{port}"], **environment)

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.port}"
