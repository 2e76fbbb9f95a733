"""`attendance.live.expiries`: each socket's token ends at its time, with one timer for all."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

from attendance.live import expiries
from attendance.live.expiries import Expiries
from attendance.live.hub import Hub


class Sockets(dict[int, Any]):
    """A hub, as far as it is asked."""

    def numbered(self, number: int) -> Any:
        return self.get(number)


def filled(count: int) -> Sockets:
    return Sockets({number: SimpleNamespace(number=number) for number in range(1, count + 1)})


async def test_sockets_expire_in_the_order_of_their_times() -> None:
    hub, expired, done = filled(4), list[int](), asyncio.Event()

    def expire(socket: Any) -> None:
        assert time.time() >= times[socket.number]
        expired.append(socket.number)
        if len(expired) == 3:
            done.set()

    soon = time.time()
    times = {1: soon + 0.03, 2: soon + 0.01, 3: soon - 5, 4: soon + 1000}
    waiting = Expiries(cast(Hub, hub), expire)
    for number, at in times.items():
        waiting.add(hub[number], at)
    async with asyncio.timeout(15):
        await done.wait()
    assert expired == [3, 2, 1]


async def test_a_socket_that_has_left_does_not_expire_and_is_forgotten() -> None:
    hub, expired = filled(1), list[int]()
    waiting = Expiries(cast(Hub, hub), lambda socket: expired.append(socket.number))
    later = time.time() + 1000
    for number in range(2, 3 * expiries.LEFT):
        hub[number] = SimpleNamespace(number=number)
        waiting.add(hub[number], later)
        del hub[number]
    assert len(waiting._times) <= expiries.LEFT + 2
    gone = SimpleNamespace(number=0)
    waiting.add(cast(Any, gone), time.time())
    waiting.add(hub[1], time.time())
    async with asyncio.timeout(15):
        while not expired:
            await asyncio.sleep(0)
    assert expired == [1]
