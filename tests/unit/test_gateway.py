"""The crossing to the database's threads: one call after the other, whatever becomes of those who wait."""

import asyncio
import threading
from typing import Any

import pytest

from attendance.live import gateway


async def test_calls_run_in_the_order_in_which_they_were_given_in_one_thread() -> None:
    ran: list[tuple[int, str]] = []

    def run(at: int) -> None:
        ran.append((at, threading.current_thread().name))

    calls = [gateway.write(run, at) for at in range(20)]
    await asyncio.gather(*calls)
    assert ran == [(at, "live-writer") for at in range(20)]
    assert await gateway.read(lambda: threading.current_thread().name) == "live-reader"


async def test_a_call_returns_what_its_work_returns_and_raises_what_it_raises() -> None:
    def fails(reason: str) -> None:
        raise ValueError(reason)

    assert await gateway.write(divmod, 7, 2) == (3, 1)
    with pytest.raises(ValueError, match="no reason"):
        await gateway.write(fails, "no reason")
    assert await gateway.write(divmod, 7, 2) == (3, 1)


async def test_a_call_that_is_cancelled_before_its_turn_is_never_made() -> None:
    go_on = threading.Event()
    ran: list[Any] = []
    first = asyncio.create_task(gateway.write(go_on.wait, 30))
    cancelled = asyncio.create_task(gateway.write(ran.append, "cancelled"))
    third = asyncio.create_task(gateway.write(ran.append, "third"))
    await asyncio.sleep(0)  # all three are given
    cancelled.cancel()
    go_on.set()
    await asyncio.gather(first, third)
    assert ran == ["third"]
    assert cancelled.cancelled()


async def test_a_call_that_is_cancelled_while_it_runs_disturbs_nobody() -> None:
    loop, entered, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def work() -> None:
        loop.call_soon_threadsafe(entered.set)
        go_on.wait(30)
        raise ValueError("nobody waits for this")

    running = asyncio.create_task(gateway.write(work))
    await entered.wait()
    running.cancel()
    go_on.set()
    assert await gateway.write(lambda: "the next") == "the next"
    assert running.cancelled()


def test_a_call_whose_loop_was_closed_leaves_its_thread_to_the_next_loop() -> None:
    go_on = threading.Event()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gateway.write(go_on.wait, 30), 0.01)

    asyncio.run(give_up())
    go_on.set()

    async def call() -> str:
        return await gateway.write(lambda: "the next loop")

    assert asyncio.run(call()) == "the next loop"
