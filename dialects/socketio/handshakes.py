"""How many Socket.IO clients each address has: those that have not said yet who they are, and all of them."""

from collections import Counter

from core import limits
from core.limits import Limit


class Handshakes:
    """Engine.IO's clients in this process, by their network."""

    def __init__(self) -> None:
        self._networks: dict[str, str] = {}
        self._waiting: set[str] = set()
        self._all: Counter[str] = Counter()
        self._unconnected: Counter[str] = Counter()

    def reached(self, network: str) -> Limit | None:
        """The limit that keeps further clients of the network from shaking hands, if one does."""
        numbers = {limits.HANDSHAKES: self._unconnected[network], limits.SOCKETS_AT_ADDRESS: self._all[network]}
        return next(
            (limit for limit, number in numbers.items() if number >= limit.number and not limit.is_lifted), None
        )

    def begin(self, client: str, network: str) -> None:
        """The client has shaken hands."""
        self._networks[client] = network
        self._waiting.add(client)
        self._all[network] += 1
        self._unconnected[network] += 1

    def connected(self, client: str) -> None:
        """The client has said who it is. Repeated calls do nothing."""
        if client in self._waiting:
            self._waiting.remove(client)
            _take_off(self._unconnected, self._networks[client])

    def end(self, client: str) -> None:
        """The client is gone. Repeated calls do nothing."""
        self.connected(client)
        network = self._networks.pop(client, None)
        if network is not None:
            _take_off(self._all, network)


def _take_off(counter: Counter[str], network: str) -> None:
    counter[network] -= 1
    if not counter[network]:
        del counter[network]
