"""When sockets' tokens expire, with one timer for all of them: one of its own costs each socket 0.6 KB."""

import asyncio
import heapq
import time
from collections.abc import Callable

from attendance.live.hub import Hub
from attendance.live.socket import Socket

#: Sockets that have left are forgotten once there are so many more of them than there are sockets.
LEFT = 1000


class Expiries:
    """Calls `expire` with each socket of the hub whose time has come."""

    def __init__(self, hub: Hub, expire: Callable[[Socket], None]) -> None:
        self._hub, self._expire = hub, expire
        #: Times, seconds since 1970, and sockets' numbers; also of sockets that have left. The first comes first.
        self._times: list[tuple[float, int]] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, socket: Socket, at: float) -> None:
        """`socket`, which is in the hub, expires at this time, seconds since 1970."""
        heapq.heappush(self._times, (at, socket.number))
        if len(self._times) > 2 * len(self._hub) + LEFT:
            self._times = [entry for entry in self._times if self._hub.numbered(entry[1]) is not None]
            heapq.heapify(self._times)
        if self._times[0] == (at, socket.number):
            self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._times:
            wait = max(0.0, self._times[0][0] - time.time())
            self._timer = asyncio.get_running_loop().call_later(wait, self._come)

    def _come(self) -> None:
        moment = time.time()
        while self._times and self._times[0][0] <= moment:
            socket = self._hub.numbered(heapq.heappop(self._times)[1])
            if socket is not None:
                self._expire(socket)
        self._wait()
